# SPDX-License-Identifier: MIT
"""with_fastchat.py BINARY PICTURE [theirs|ours]: FastChat 0.2.36 against llava-plus, both ways. See with_fastchat.sh."""
import base64, contextlib, importlib, json, os, signal, subprocess, sys, tempfile, time, types
import requests

BINARY, PICTURE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
QUESTION = "What does the sign say?"
SYSTEM = ("A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, detailed, and "
          "polite answers to the human's questions.")
PROMPT = f"{SYSTEM} USER: <image>\n{QUESTION} ASSISTANT:"
failed = 0

# The worker of FastChat's kind: its BaseModelWorker with an echo in the place of a model.
ECHO = """
import json, sys, uvicorn
from fastchat.serve import base_model_worker as base
from fastchat.conversation import get_conv_template
class Echo(base.BaseModelWorker):
    def make_conv_template(self, conv_template=None, model_path=None):
        return get_conv_template("vicuna_v1.1")
    def generate_stream_gate(self, params):
        text = ""
        for word in ["You ", "said ", params["prompt"]]:
            text += word
            yield json.dumps({"text": text, "error_code": 0}).encode() + b"\\0"
    def generate_gate(self, params):
        return {"texts": ["ECHO"], "boxes": [[0.1, 0.2, 0.5, 0.6]], "scores": [0.9]}
worker = Echo(sys.argv[1], "http://localhost:" + sys.argv[2], "echo", "echo", sys.argv[3].split(","), 5)
base.worker = worker
worker.init_heart_beat()
uvicorn.run(base.app, host="localhost", port=int(sys.argv[2]), log_level="error")
"""


def check(name, good, detail=""):
    global failed
    failed += not good
    print(f"{'ok    ' if good else 'FAILED'} {name}{'' if good else ': ' + str(detail)[:300]}", flush=True)


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def running(*command):
    env = dict(os.environ, FASTCHAT_WORKER_HEART_BEAT_INTERVAL="2", PYTHONUNBUFFERED="1")
    process = subprocess.Popen(command, stdout=log, stderr=log, cwd=work, env=env)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def post(url, **json_body):
    return requests.post(url, json=json_body or None, timeout=600).json()


def wait_for(what, seconds=300):
    end = time.time() + seconds
    while time.time() < end:
        try:
            if what():
                return True
        except (requests.exceptions.RequestException, ValueError):
            pass
        time.sleep(0.2)
    return False


def fastchat_client():
    """test_message.py as it is. Where torch is missing, only the choice of a template is another's."""
    try:
        importlib.import_module("fastchat.model.model_adapter")
    except ImportError:
        from fastchat.conversation import get_conv_template
        adapter = types.ModuleType("fastchat.model.model_adapter")
        adapter.get_conversation_template = lambda name: get_conv_template("vicuna_v1.1")
        package = types.ModuleType("fastchat.model")
        package.model_adapter = adapter
        sys.modules["fastchat.model"], sys.modules["fastchat.model.model_adapter"] = package, adapter
    return importlib.import_module("fastchat.serve.test_message")


def test_message(controller, model, message):
    import argparse, io
    module, out = fastchat_client(), io.StringIO()
    module.args = argparse.Namespace(controller_address=controller, worker_address=None, model_name=model, temperature=0.0,
                                     max_new_tokens=200, message=message)
    with contextlib.redirect_stdout(out):
        module.main()
    return out.getvalue()


def stream(url, **request):
    """The last frame as LLaVA's web server reads a stream."""
    frames = []
    response = requests.post(url + "/worker_generate_stream", json=request, stream=True, timeout=600)
    for chunk in response.iter_lines(decode_unicode=False, delimiter=b"\0"):
        if chunk:
            frames.append(json.loads(chunk.decode()))
    return frames


def with_controller(theirs):
    whose = "their controller" if theirs else "our controller"
    port, planner_port, tool_port, echo_port = (free_port() for _ in range(4))
    url = f"http://localhost:{port}"
    control = ([sys.executable, "-m", "fastchat.serve.controller", "--port", str(port)] if theirs
               else [BINARY, "controller", "--port", str(port)])
    image = base64.b64encode(open(PICTURE, "rb").read()).decode()
    with contextlib.ExitStack() as stack:
        for command in ((BINARY, "worker", "--controller", url, "--port", str(planner_port)), control,
                        (BINARY, "worker", "--skill", "ocr", "--controller", url, "--port", str(tool_port))):
            stack.enter_context(running(*command))
        wait_for(lambda: requests.get(url + "/test_connection", timeout=5).status_code == 200)  # theirs must find one at once
        stack.enter_context(running(sys.executable, "-c", ECHO, url, str(echo_port), "echo,grounding_dino"))
        names = {"llava-plus-nano-v1", "ocr", "easyocr", "echo", "grounding_dino"}
        check(f"{whose}: our workers and theirs register",
              wait_for(lambda: set(post(url + "/list_models")["models"]) == names), post(url + "/list_models"))
        subprocess.run([sys.executable, "-m", "fastchat.serve.register_worker", "--controller-address", url, "--worker-name",
                        f"http://localhost:{tool_port}", "--check-heart-beat"], check=True, cwd=work)
        requests.post(url + "/refresh_all_workers", timeout=600)
        check(f"{whose}: all are still there after register_worker and a refresh",
              set(post(url + "/list_models")["models"]) == names, post(url + "/list_models"))
        address = post(url + "/get_worker_address", model="llava-plus-nano-v1")["address"]
        check(f"{whose}: tells our worker's address", address.endswith(str(planner_port)), address)
        request = dict(model="llava-plus-nano-v1", prompt=PROMPT, temperature=0, max_new_tokens=200, stop="</s>", images=[image])
        for via, at in (("directly", address), ("through " + whose, url)):
            frames = stream(at, **request)
            good = frames and all(f["error_code"] == 0 and f["text"].startswith(PROMPT) for f in frames)
            check(f"{whose}: a stream with a picture {via}", good and '"API_name": "ocr"' in frames[-1]["text"],
                  frames[-1] if frames else "no frame")
        said = test_message(url, "llava-plus-nano-v1", "Hello!")
        check(f"{whose}: FastChat's test_message asks our worker", len(said.split("ASSISTANT:")[-1].strip()) > 10, said)
        said = test_message(url, "echo", "Hello!")
        check(f"{whose}: FastChat's test_message asks their worker", "You said" in said and "Hello!" in said, said)
        frames = stream(url, model="nobody", prompt="x")
        check(f"{whose}: no worker is an error frame", frames and frames[0]["error_code"] in (2, 50005), frames)
        tool = post(url + "/get_worker_address", model="ocr")["address"]
        answer = post(tool + "/worker_generate", image=image, box_threshold=0.3, text_threshold=0.25)
        check(f"{whose}: our tool worker answers", "OPEN DAILY" in answer.get("texts", []), answer)
        out = subprocess.run([BINARY, "chat", "--controller", url, "--json", "--image", PICTURE, QUESTION], capture_output=True,
                             text=True, timeout=600)
        check(f"{whose}: our chat calls a skill at a worker", "OPEN DAILY" in out.stdout, out.stdout + out.stderr)
        out = subprocess.run([BINARY, "chat", "--controller", url, "--json", "--image", PICTURE, "Detect all dogs in the image."],
                             capture_output=True, text=True, timeout=600)
        check(f"{whose}: our chat calls a skill at their worker", "ECHO" in out.stdout, out.stdout + out.stderr)
        api_server(whose, url, image)


def api_server(whose, url, image):
    import openai
    port = free_port()
    with running(sys.executable, "-m", "fastchat.serve.openai_api_server", "--controller-address", url, "--port", str(port)):
        client = openai.OpenAI(api_key="none", base_url=f"http://localhost:{port}/v1")
        up = wait_for(lambda: requests.get(f"http://localhost:{port}/v1/models", timeout=600).status_code == 200)
        names = [m.id for m in client.models.list()] if up else []
        check(f"FastChat's API server on {whose}: models", "llava-plus-nano-v1" in names, names)
        text = [{"role": "user", "content": "Hello!"}]
        picture = [{"role": "user", "content": [{"type": "text", "text": QUESTION},
                                                {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64," + image}}]}]
        for name, messages, wanted in (("chat", text, ""), ("chat with a picture", picture, "ocr")):
            try:
                answer = client.chat.completions.create(model="llava-plus-nano-v1", messages=messages, temperature=0,
                                                        max_tokens=200)
                said = answer.choices[0].message.content
                pieces = [c.choices[0].delta.content or "" for c in client.chat.completions.create(
                    model="llava-plus-nano-v1", messages=messages, temperature=0, max_tokens=200, stream=True) if c.choices]
                check(f"FastChat's API server on {whose}: {name}", len(said) > 10 and wanted in said, said)
                check(f"FastChat's API server on {whose}: {name}, streamed", "".join(pieces).strip() == said.strip() and len(pieces) > 3,
                      pieces)
            except openai.OpenAIError as e:
                check(f"FastChat's API server on {whose}: {name}", False, e)


with tempfile.TemporaryDirectory() as work, open(os.path.join(work, "log"), "w") as log:
    for whose in sys.argv[3:] or ("theirs", "ours"):  # whose controller
        with_controller(whose == "theirs")
    if failed:
        print(open(os.path.join(work, "log")).read()[-3000:], file=sys.stderr)
sys.exit(failed > 0)
