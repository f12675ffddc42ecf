# shellcheck shell=bash
# Picture files that are none, or not whole, or not what they say. Read by run.sh.
png_head='\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR'
png_tail='\x00\x00\x00\x0cIDAT\x78\x9c\x63\x60\xa0\x3d\x00\x00\x00\x64\x00\x01\x86\x64\x3c\x35\x00\x00\x00\x00IEND\xae\x42\x60\x82'
printf "$png_head"'\x00\x00\xc3\x50\x00\x00\xc3\x50\x08\x02\x00\x00\x00\xc4\xcd\xaa\x9d'"$png_tail" > bomb.png
printf "$png_head"'\x00\x00\x32\xc8\x00\x00\x32\xc8\x08\x02\x00\x00\x00\x6d\xc0\x7f\x6f'"$png_tail" > lying.png
head -c 5000 "$here/../ocr/20-terminal.png" > cut.png
head -c 9000 "$sign" > cut.jpg
head -c 20 "$sign" > head.jpg
head -c 40 "$here/../ocr/20-terminal.png" > renamed.jpg
printf 'GIF89a\xff\xff\xff\xff\xf0\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04' > cut.gif
printf 'RIFF\xff\xff\xff\x7fWEBPVP8 \xff\xff\xff\x7f\x30\x01\x00\x9d\x01\x2a\xff\x3f\xff\x3f' > lying.webp
printf 'II*\x00\x08\x00\x00\x00\xff\xff\x00\x01\x03\x00\x01\x00\x00\x00\xff\xff\x00\x00' > lying.tif
printf '\x00\x00\x00\x18ftypavif\x00\x00\x00\x00avifmif1\x7f\xff\xff\xffmeta' > lying.avif
printf '\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1\xff\xff\xff\xffmdat' > lying.heic
printf '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/passwd"/></svg>' > drawing.svg
printf '%%PDF-1.4\n1 0 obj\n<<>>\nendobj\n' > paper.pdf
printf 'This is a text and no picture.\n' > text.jpg
: > empty.jpg
printf 'GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;' > dot.gif # good
mkdir folder.jpg
mkfifo fifo.jpg
ln -s loop.jpg loop.jpg
printf 'x' > secret.jpg
chmod 0 secret.jpg

for file in bomb.png lying.png cut.png cut.jpg head.jpg renamed.jpg cut.gif lying.webp lying.tif lying.avif lying.heic \
    drawing.svg paper.pdf text.jpg empty.jpg folder.jpg fifo.jpg loop.jpg missing.jpg /dev/zero /dev/null /proc/self/mem; do
    bad "picture $file" 1 "$file" skill run ocr --image "$file"
done
[ "$(id -u)" -eq 0 ] || bad 'picture unreadable' 1 secret.jpg skill run ocr --image secret.jpg
bad 'picture path too long' 1 long "skill" run ocr --image "$(printf 'long%.0s' {1..2000})"
bad 'picture, empty name' 1 "''" skill run ocr --image ''
bad 'picture, empty standard input' 1 standard skill run ocr --image -
head -c 104857600 /dev/zero | tr '\0' 'x' > "$tmp/garbage"
stdin=$tmp/garbage
bad 'picture, garbage on standard input' 1 standard skill run ocr --image -
rm "$tmp/garbage"
stdin=/dev/zero
bad 'picture, endless standard input' 1 standard skill run ocr --image -
stdin=$tmp/in/cut.jpg
bad 'picture, cut on standard input' 1 standard skill run ocr --image -
stdin=/dev/null
bad 'picture to a place that is none' 1 none/out.png skill run ocr --image dot.gif --out none/out.png
bad 'picture of an unknown kind to write' 2 out.xyz skill run ocr --image dot.gif --out out.xyz
bad 'a mask that is no picture' 1 text.jpg skill run inpaint --image dot.gif --prompt x --mask text.jpg
