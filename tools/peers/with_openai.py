# SPDX-License-Identifier: MIT
"""with_openai.py BINARY PICTURE: the openai client against `llava-plus serve`, as its users call it. See with_openai.sh."""
import asyncio, base64, json, os, re, signal, subprocess, sys
import openai

BINARY, PICTURE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
QUESTION, READS = "What does the sign say?", "OPEN DAILY"
URL = "data:image/jpeg;base64," + base64.b64encode(open(PICTURE, "rb").read()).decode()
SHOWN = {"type": "image_url", "image_url": {"url": URL}}
ASKED = [{"role": "user", "content": [{"type": "text", "text": QUESTION}, SHOWN]}]
KEY = "a-key-of-this-run-only"
failed = 0


def tool(name):
    return {"type": "function", "function": {"name": name, "description": "a skill",
                                             "parameters": {"type": "object", "properties": {}}}}


def check(name, test):
    """Runs a test, which returns what was wrong, or nothing."""
    global failed
    try:
        wrong = test()
    except Exception as e:
        wrong = "%s: %s" % (type(e).__name__, e)
    failed += wrong is not None
    print("ok     " + name if wrong is None else "FAILED %s: %s" % (name, str(wrong)[:300]), flush=True)


def unless(good, what):
    return None if good else what


def raises(kind, call):
    try:
        return "no error, but %s" % call()
    except kind as e:
        return unless(e.body and e.body.get("message"), "no message in %s" % e.body)


def models():
    names = [m.id for m in client.models.list()]
    one = client.models.retrieve(names[0])
    return unless(names == [model] and one.id == model and one.object == "model" and one.created > 0, (names, one))


def chat():
    answer = client.chat.completions.create(model=model, messages=ASKED)
    said, usage = answer.choices[0], answer.usage
    return unless(READS in said.message.content and said.finish_reason == "stop" and said.message.role == "assistant" and
                  usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0, answer)


def stream():
    chunks = list(client.chat.completions.create(model=model, messages=ASKED, stream=True,
                                                 stream_options={"include_usage": True}))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    return unless(READS in text and len(chunks) > 3 and chunks[-1].usage.completion_tokens > 0 and not chunks[-1].choices and
                  chunks[-2].choices[0].finish_reason == "stop" and all(c.usage is None for c in chunks[:-1]) and
                  len({c.id for c in chunks}) == 1, (text, chunks[-2:]))


def stream_of_events():
    with client.chat.completions.stream(model=model, messages=ASKED) as events:
        kinds = {e.type for e in events}
        final = events.get_final_completion()
    return unless(READS in final.choices[0].message.content and {"content.delta", "content.done"} <= kinds, (kinds, final))


def conversation():
    messages = [{"role": "system", "content": "Be brief."}, *ASKED, {"role": "assistant", "content": "The text is: OPEN"},
                {"role": "user", "content": "Hello!"}]
    answer = client.chat.completions.create(model=model, messages=messages, temperature=0.2, top_p=0.9, seed=4, max_tokens=40,
                                            stop=["\n\n"], user="someone")
    return unless(answer.choices[0].message.content, answer)


def short():
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "What can you do?"}],
                                            max_completion_tokens=3)
    return unless(answer.choices[0].finish_reason == "length" and answer.usage.completion_tokens <= 3, answer)


def call_of(**how):
    answer = client.chat.completions.create(model=model, messages=ASKED, tools=[tool("ocr"), tool("grounding_dino")], **how)
    return answer.choices[0]


def tool_calls():
    said = call_of()
    call = said.message.tool_calls[0]
    return unless(said.finish_reason == "tool_calls" and call.type == "function" and call.function.name == "ocr" and
                  isinstance(json.loads(call.function.arguments), dict) and said.message.content is None, said)


def tool_choice():
    none, forced = call_of(tool_choice="none"), call_of(tool_choice={"type": "function", "function": {"name": "grounding_dino"}})
    required = call_of(tool_choice="required", parallel_tool_calls=False)
    return unless(not none.message.tool_calls and none.message.content and len(required.message.tool_calls) == 1 and
                  {c.function.name for c in forced.message.tool_calls} == {"grounding_dino"}, (none, required, forced))


def tool_calls_streamed():
    with client.chat.completions.stream(model=model, messages=ASKED, tools=[tool("ocr")]) as events:
        final = [e for e in events][-1] and events.get_final_completion()
    return unless(final.choices[0].message.tool_calls[0].function.name == "ocr" and
                  final.choices[0].finish_reason == "tool_calls", final)


def tool_message(content):
    """The client runs the tool, and its message is told as the client's own objects are."""
    def test():
        said = call_of().message
        results = [{"role": "tool", "tool_call_id": c.id, "content": content} for c in said.tool_calls]
        answer = client.chat.completions.create(model=model, messages=[*ASKED, said, *results], tools=[tool("ocr")])
        return unless("MIND THE GAP" in (answer.choices[0].message.content or ""), answer)
    return test


def whole_answers():
    raw = client.chat.completions.with_raw_response.create(model=model, messages=[{"role": "user", "content": "Hello!"}])
    return unless(raw.headers["x-request-id"].startswith("req_") and raw.parse()._request_id == raw.headers["x-request-id"] and
                  raw.parse().choices[0].message.content, raw.headers)


def at_once():
    async def ask_all():
        async with openai.AsyncOpenAI(api_key=KEY, base_url=address) as many:
            hello = [{"role": "user", "content": "Hello!"}]
            return await asyncio.gather(*(many.chat.completions.create(model=model, messages=hello) for _ in range(8)))
    answers = asyncio.run(ask_all())
    return unless(len({a.id for a in answers}) == 8 and all(a.choices[0].message.content for a in answers), answers)


def leaving():
    with client.chat.completions.create(model=model, messages=ASKED, stream=True) as chunks:
        next(iter(chunks))
    return chat()


def no_picture(call):
    """No skill makes pictures on this machine: the error says which, and what it needs."""
    try:
        return "no error, but %s" % call()
    except openai.APIStatusError as e:
        return unless(e.status_code == 501 and "is not ready on this machine: it needs" in e.body["message"], (e.status_code, e.body))


def images():
    with open(PICTURE, "rb") as picture:
        return (no_picture(lambda: client.images.generate(prompt="a red ball", n=1, size="auto")) or
                no_picture(lambda: client.images.edit(image=picture, prompt="make it blue")) or
                raises(openai.BadRequestError, lambda: client.images.generate(prompt="a red ball", response_format="url")))


def errors():
    hello = [{"role": "user", "content": "Hello!"}]
    create = client.chat.completions.create
    stranger = openai.OpenAI(api_key="another", base_url=address)
    return (raises(openai.NotFoundError, lambda: create(model="gpt-4o", messages=hello)) or
            raises(openai.BadRequestError, lambda: create(model=model, messages=hello, n=2)) or
            raises(openai.BadRequestError, lambda: create(model=model, messages=[])) or
            raises(openai.AuthenticationError, stranger.models.list))


server = subprocess.Popen([BINARY, "serve", "--port", "0", "--quiet"], stdout=subprocess.PIPE, text=True,
                          env=dict(os.environ, LLAVA_PLUS_API_KEY=KEY))
try:
    address = re.search(r"http://\S+", server.stdout.readline()).group(0)
    client = openai.OpenAI(api_key=KEY, base_url=address, max_retries=0)
    model = client.models.list().data[0].id
    print("openai %s, %s" % (openai.__version__, model))
    check("models: list and retrieve", models)
    check("a chat with a picture", chat)
    check("the same streamed, with its usage", stream)
    check("the same as the client's events", stream_of_events)
    check("a longer conversation with sampling, stop texts and a limit", conversation)
    check("an answer that its limit cuts", short)
    check("tool calls", tool_calls)
    check("tool calls, streamed", tool_calls_streamed)
    check("tool_choice: none, required, one of them", tool_choice)
    check("a tool's message", tool_message(json.dumps({"texts": ["MIND THE GAP"]})))
    check("a tool's message with a picture", tool_message([{"type": "text", "text": "MIND THE GAP"}, SHOWN]))
    check("raw answers and request ids", whole_answers)
    check("eight at once, asyncio", at_once)
    check("a stream that is left, and the next", leaving)
    check("pictures that no skill makes here", images)
    check("errors are the client's own", errors)
finally:
    server.send_signal(signal.SIGTERM)
    server.wait(60)
sys.exit(failed > 0)
