# shellcheck shell=bash
# Command lines. Read by run.sh.
bad 'unknown command' 2 juggle juggle
bad 'unknown option' 2 --imgae skill run ocr --imgae dot.gif
bad 'unknown option of plan' 2 --nonsense plan --nonsense
bad 'option without value' 2 --image skill run ocr --image
bad 'unknown skill' 2 juggle skill run juggle --image dot.gif
bad 'no skill' 2 skill skill run
bad 'picture wanted' 2 --image skill run ocr
bad 'one argument too many' 2 more skill run ocr more --image dot.gif
bad 'flag with a value' 2 --json skill run ocr --image dot.gif --json=yes
bad 'points that are no JSON' 2 --points plan --model "$golden" --image dot.gif --points '[[0.5' hello
bad 'points that are no points' 2 --points plan --model "$golden" --image dot.gif --points '[[0.5]]' hello
bad 'points outside' 1 coordinates plan --model "$golden" --image dot.gif --points '[[5, 0.5]]' hello
bad 'boxes that are no boxes' 2 --boxes plan --model "$golden" --image dot.gif --boxes '{}' hello
bad 'reference boxes alone' 2 --reference-boxes plan --model "$golden" --reference-boxes '[[0,0,1,1]]' hello
bad 'no sentence and no batch' 2 --batch plan --model "$golden"
bad 'sentence and batch' 2 --batch plan --model "$golden" --batch data.good hello
bad 'batch and picture' 2 --batch plan --model "$golden" --batch data.good --image dot.gif
bad 'samples in words' 2 --samples plan --samples many hello
bad 'temperature of no number' 2 --temperature plan --temperature nan hello
bad 'seed too large' 2 --seed plan --seed 99999999999999999999 hello
bad 'skill, points that are no JSON' 2 --points skill run segment_at --image dot.gif --points '[[0.5,'
bad 'skill, boxes that are numbers' 2 --reference-boxes skill run segment_like --image dot.gif --reference dot.gif --reference-boxes 5
bad 'skill not ready' 1 segment_semantic skill run segment_semantic --image dot.gif
