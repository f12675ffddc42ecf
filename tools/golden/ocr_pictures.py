# SPDX-License-Identifier: MIT
"""Renders tests/e2e/ocr/*.jpg|png with truth.jsonl, and examples/sign.jpg.

Run from the repository's root: python3 tools/golden/ocr_pictures.py   (Pillow, numpy; Debian packages
fonts-dejavu-core fonts-liberation fonts-roboto-unhinted fonts-lato fonts-bebas-neue fonts-courier-prime
fonts-inconsolata). Every picture has its own seed, so that one can change without the others.

A picture is drawn at twice its size on a surface (a board, paper, a screen), the surface is turned and laid on a
scene, lit unevenly, made smaller, blurred, given noise and saved. The truth is collected while drawing.
"""
import json
import math
import os
import sys

import numpy
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

OUT = "tests/e2e/ocr"
FONTS = {
    "dejavu": "truetype/dejavu/DejaVuSans.ttf",
    "dejavu-bold": "truetype/dejavu/DejaVuSans-Bold.ttf",
    "dejavu-serif": "truetype/dejavu/DejaVuSerif.ttf",
    "dejavu-serif-bold": "truetype/dejavu/DejaVuSerif-Bold.ttf",
    "dejavu-mono": "truetype/dejavu/DejaVuSansMono.ttf",
    "dejavu-mono-bold": "truetype/dejavu/DejaVuSansMono-Bold.ttf",
    "sans": "truetype/liberation/LiberationSans-Regular.ttf",
    "sans-bold": "truetype/liberation/LiberationSans-Bold.ttf",
    "narrow-bold": "truetype/liberation/LiberationSansNarrow-Bold.ttf",
    "serif": "truetype/liberation/LiberationSerif-Regular.ttf",
    "serif-bold": "truetype/liberation/LiberationSerif-Bold.ttf",
    "serif-italic": "truetype/liberation/LiberationSerif-Italic.ttf",
    "mono": "truetype/liberation/LiberationMono-Regular.ttf",
    "roboto": "truetype/roboto/unhinted/RobotoTTF/Roboto-Regular.ttf",
    "roboto-medium": "truetype/roboto/unhinted/RobotoTTF/Roboto-Medium.ttf",
    "roboto-bold": "truetype/roboto/unhinted/RobotoTTF/Roboto-Bold.ttf",
    "roboto-condensed": "truetype/roboto/unhinted/RobotoCondensed-Bold.ttf",
    "lato": "truetype/lato/Lato-Regular.ttf",
    "lato-bold": "truetype/lato/Lato-Bold.ttf",
    "lato-black": "truetype/lato/Lato-Black.ttf",
    "bebas": "opentype/bebas-neue/BebasNeue-Regular.otf",
    "bebas-bold": "opentype/bebas-neue/BebasNeue-Bold.otf",
    "courier": "opentype/courier-prime/Courier Prime.otf",
    "courier-bold": "opentype/courier-prime/Courier Prime Bold.otf",
    "inconsolata": "truetype/inconsolata/Inconsolata.otf",
}


def font(name, size):
    """A face at a size in final pixels (surfaces are drawn at twice that)."""
    return ImageFont.truetype("/usr/share/fonts/" + FONTS[name], int(round(size * 2)))


class Surface:
    """Something flat with writing on it. Coordinates are final pixels; rows of text are kept in reading order."""

    def __init__(self, width, height, fill):
        self.width, self.height = width, height
        self.image = Image.new("RGB", (width * 2, height * 2), fill)
        self.draw = ImageDraw.Draw(self.image)
        self.rows = []

    def box(self, x0, y0, x1, y1, fill=None, outline=None, width=1, radius=0):
        self.draw.rounded_rectangle([x0 * 2, y0 * 2, x1 * 2 - 1, y1 * 2 - 1], radius * 2, fill, outline, width * 2)

    def line(self, x0, y0, x1, y1, fill, width=1):
        self.draw.line([x0 * 2, y0 * 2, x1 * 2, y1 * 2], fill, width * 2)

    def dot(self, x, y, r, fill=None, outline=None, width=1):
        self.draw.ellipse([(x - r) * 2, (y - r) * 2, (x + r) * 2, (y + r) * 2], fill, outline, width * 2)

    def text(self, x, y, text, face, size, fill, at="l", same_row=False, spaced=0, mute=False):
        """at: l, m, r = x is the text's left, middle or right; y is its baseline."""
        f = font(face, size)
        if spaced:
            self._spaced(x, y, text, f, fill, spaced)
        else:
            self.draw.text((x * 2, y * 2), text, fill, f, anchor=at + "s")
        if mute:
            return
        if same_row:
            self.rows[-1] += " " + text
        else:
            self.rows.append(text)

    def _spaced(self, x, y, text, f, fill, spaced):
        total = sum(f.getlength(c) + spaced * 2 for c in text) - spaced * 2
        at = x * 2 - total / 2
        for c in text:
            self.draw.text((at, y * 2), c, fill, f, anchor="ls")
            at += f.getlength(c) + spaced * 2


def grain(size, rng, scale, strength):
    """A grey picture of soft blotches about `scale` pixels wide, mean 128."""
    small = rng.normal(128, strength, (max(2, size[1] // scale), max(2, size[0] // scale)))
    return Image.fromarray(numpy.clip(small, 0, 255).astype("uint8")).resize(size, Image.BICUBIC)


def shade(image, layer):
    """Multiplies by a grey layer where 128 leaves the picture as it is."""
    a = numpy.asarray(image, dtype="float32") * (numpy.asarray(layer, dtype="float32")[..., None] / 128.0)
    return Image.fromarray(numpy.clip(a, 0, 255).astype("uint8"))


def planks(width, height, base, rng, count):
    """Wooden boards, lying."""
    image = Image.new("RGB", (width * 2, height * 2), base)
    image = shade(image, grain(image.size, rng, 40, 7))
    streaks = rng.normal(128, 9, (height, max(2, width // 40)))
    image = shade(image, Image.fromarray(numpy.clip(streaks, 0, 255).astype("uint8")).resize(image.size, Image.BICUBIC))
    draw = ImageDraw.Draw(image)
    for i in range(1, count):
        y = image.size[1] * i // count
        draw.line([0, y, image.size[0], y], tuple(c // 2 for c in base), 5)
    return image


def bricks(width, height, base, rng):
    image = Image.new("RGB", (width * 2, height * 2), tuple(min(255, int(c * 1.25)) for c in base))
    draw = ImageDraw.Draw(image)
    for j, y in enumerate(range(0, height * 2, 52)):
        for x in range(-110 + (j % 2) * 55, width * 2, 110):
            tone = rng.normal(1, 0.08)
            draw.rectangle([x + 3, y + 3, x + 106, y + 48], tuple(int(min(255, c * tone)) for c in base))
    return shade(image, grain(image.size, rng, 6, 9))


def plain(width, height, base, rng, strength=6, scale=60):
    image = Image.new("RGB", (width * 2, height * 2), base)
    return shade(image, grain(image.size, rng, scale, strength))


def lay(scene, surface, angle, at=None, shadow=10, lean=0.0):
    """Turns the surface by `angle` degrees and lays it with a soft shadow on the scene, middle or `at` (pixels)."""
    board = surface.image.convert("RGBA")
    w, h = board.size
    if lean:  # the far edge is a little smaller, as seen from the side
        d = int(h * lean)
        board = board.transform((w, h), Image.QUAD, (0, 0, 0, h, w, h + d, w, -d), Image.BICUBIC)
    board = board.rotate(angle, Image.BICUBIC, expand=True)
    x = (scene.size[0] - board.size[0]) // 2 if at is None else at[0] * 2
    y = (scene.size[1] - board.size[1]) // 2 if at is None else at[1] * 2
    if shadow:
        dark = Image.new("L", scene.size, 0)
        dark.paste(board.getchannel("A"), (x + shadow, y + shadow))
        dark = dark.filter(ImageFilter.GaussianBlur(shadow))
        scene = Image.composite(shade(scene, Image.new("L", scene.size, 70)), scene, dark)
    scene = scene.copy()
    scene.paste(board, (x, y), board)
    return scene


def light(image, direction, strength):
    """Brighter on one side: direction in degrees, strength 0..1 between the two ends."""
    w, h = image.size
    yy, xx = numpy.mgrid[0:h, 0:w].astype("float32")
    a = math.radians(direction)
    t = ((xx / w - 0.5) * math.cos(a) + (yy / h - 0.5) * math.sin(a))
    layer = numpy.clip(128 * (1 + strength * t), 0, 255).astype("uint8")
    return shade(image, Image.fromarray(layer))


def photo(scene, rng, noise=0.0, blur=0.0):
    """From the double-size scene to the final picture."""
    image = scene.resize((scene.size[0] // 2, scene.size[1] // 2), Image.LANCZOS)
    if blur:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    if noise:
        a = numpy.asarray(image, dtype="float32")
        a = a + rng.normal(0, noise, a.shape) * 0.6 + rng.normal(0, noise, a.shape[:2])[..., None] * 0.7
        image = Image.fromarray(numpy.clip(a, 0, 255).astype("uint8"))
    return image


def glow(surface, radius, strength):
    soft = surface.image.filter(ImageFilter.GaussianBlur(radius))
    surface.image = ImageChops.add(surface.image, shade(soft, Image.new("L", soft.size, int(128 * strength))))
    surface.draw = ImageDraw.Draw(surface.image)


def paper(surface, rng, folds=()):
    """Gives paper its fibres and folds."""
    surface.image = shade(surface.image, grain(surface.image.size, rng, 70, 4))
    a = numpy.asarray(surface.image, dtype="float32").copy()
    for fold in folds:
        y = int(a.shape[0] * fold)
        a[y:y + 3] *= 0.9
        a[y + 3:y + 40] *= numpy.linspace(0.95, 1, 37)[:, None, None]
    surface.image = Image.fromarray(numpy.clip(a, 0, 255).astype("uint8"))


# ---- signs ----------------------------------------------------------------------------------------------------------

def sign_bakery(rng):
    s = Surface(640, 300, (38, 52, 46))
    s.box(10, 10, 630, 290, None, (214, 184, 120), 3, 8)
    s.text(320, 108, "Miller & Sons", "serif-bold", 66, (240, 222, 176), "m")
    s.text(320, 172, "BAKERY", "bebas", 66, (240, 222, 176), "m", spaced=10)
    s.line(200, 196, 440, 196, (214, 184, 120), 2)
    s.text(320, 250, "Fresh bread since 1924", "serif-italic", 36, (240, 222, 176), "m")
    scene = lay(bricks(900, 520, (150, 84, 66), rng), s, 1.2, shadow=14)
    return photo(light(scene, 30, 0.35), rng, 5, 0.5), s


def sign_exit(rng):
    s = Surface(760, 330, (0, 106, 68))
    s.box(8, 8, 752, 322, None, (245, 245, 245), 5, 22)
    s.text(380, 92, "EXIT 24", "roboto-bold", 64, (248, 248, 248), "m")
    s.text(380, 186, "Riverside Drive", "roboto-medium", 74, (248, 248, 248), "m")
    s.text(380, 278, "1 MILE", "roboto-bold", 60, (248, 248, 248), "m")
    sky = light(plain(1024, 640, (150, 186, 218), rng, 5, 200), 90, -0.3)
    d = ImageDraw.Draw(sky)
    d.rectangle([0, 1010, 2048, 1280], (96, 112, 72))
    d.rectangle([560, 700, 600, 1280], (120, 122, 124))
    d.rectangle([1450, 700, 1490, 1280], (120, 122, 124))
    return photo(lay(sky, s, -1.8, (120, 90), 0), rng, 6, 0.7), s


def sign_parking(rng):
    s = Surface(300, 420, (244, 242, 238))
    s.box(8, 8, 292, 412, None, (190, 30, 38), 5, 14)
    red = (190, 30, 38)
    s.text(150, 92, "NO", "sans-bold", 72, red, "m")
    s.text(150, 164, "PARKING", "narrow-bold", 62, red, "m")
    s.text(150, 240, "8 AM - 6 PM", "sans-bold", 44, red, "m")
    s.text(150, 300, "MON THRU FRI", "narrow-bold", 40, red, "m")
    s.line(30, 326, 270, 326, red, 3)
    s.text(150, 382, "TOW AWAY ZONE", "narrow-bold", 34, red, "m")
    scene = lay(plain(600, 720, (134, 140, 138), rng, 12, 30), s, 3.4, shadow=10)
    return photo(light(scene, 200, 0.4), rng, 7, 0.6), s


def sign_paint(rng):
    s = Surface(250, 150, (250, 214, 40))
    s.box(5, 5, 245, 145, None, (30, 30, 30), 2)
    s.text(125, 66, "WET PAINT", "sans-bold", 36, (24, 24, 24), "m")
    s.text(125, 96, "Please do not touch", "sans", 20, (24, 24, 24), "m")
    s.text(125, 126, "Dry after 5 PM", "sans", 20, (24, 24, 24), "m")
    scene = lay(planks(320, 240, (176, 188, 170), rng, 4), s, -2.2, shadow=6)
    return photo(scene, rng, 4, 0.3), s


def sign_neon(rng):
    s = Surface(700, 420, (16, 16, 26))
    s.text(350, 150, "LUNA", "lato-bold", 110, (255, 110, 190), "m", spaced=14)
    s.text(350, 250, "COCKTAIL BAR", "lato-bold", 58, (120, 226, 255), "m", spaced=4)
    s.text(350, 336, "Open until 2 am", "lato-bold", 42, (255, 226, 130), "m")
    glow(s, 14, 0.5)
    scene = bricks(860, 560, (46, 36, 40), rng)
    return photo(lay(scene, s, 0.8, shadow=0), rng, 6, 0.6), s


def sign_door(rng):
    s = Surface(420, 230, (188, 154, 92))
    s.image = shade(s.image, Image.fromarray(numpy.clip(rng.normal(128, 6, (460, 1)), 0, 255).astype("uint8")).resize((840, 460)))
    s.draw = ImageDraw.Draw(s.image)
    s.box(8, 8, 412, 222, None, (96, 72, 34), 2, 6)
    for x, y in ((22, 22), (398, 22), (22, 208), (398, 208)):
        s.dot(x, y, 5, (120, 94, 50))
    ink = (46, 32, 14)
    s.text(210, 92, "Dr. Helen Marsh", "serif-bold", 46, ink, "m")
    s.text(210, 140, "Room 214", "serif", 36, ink, "m")
    s.text(210, 188, "Please knock and wait", "serif", 28, ink, "m")
    scene = lay(planks(640, 400, (92, 56, 34), rng, 1), s, -0.7, shadow=8)
    return photo(light(scene, 120, 0.5), rng, 4, 0.4), s


def sign_trail(rng):
    s = Surface(620, 330, (98, 66, 40))
    s.image = planks(620, 330, (98, 66, 40), rng, 3)
    s.draw = ImageDraw.Draw(s.image)
    cream = (246, 234, 200)
    s.text(40, 78, "Eagle Peak", "roboto-condensed", 54, cream)
    s.text(585, 78, "3.2 mi", "roboto-condensed", 48, cream, "r", same_row=True)
    s.text(40, 188, "Mirror Lake", "roboto-condensed", 54, cream)
    s.text(585, 188, "1.5 mi", "roboto-condensed", 48, cream, "r", same_row=True)
    s.text(40, 298, "Campground", "roboto-condensed", 54, cream)
    s.text(585, 298, "0.4 mi", "roboto-condensed", 48, cream, "r", same_row=True)
    scene = lay(plain(800, 600, (92, 116, 74), rng, 34, 26), s, 1.5, shadow=10)
    return photo(scene, rng, 5, 0.5), s


def sign_floor(rng):
    s = Surface(330, 460, (252, 206, 22))
    s.box(6, 6, 324, 454, None, (20, 20, 20), 3, 18)
    s.text(165, 84, "CAUTION", "sans-bold", 58, (20, 20, 20), "m")
    s.draw.polygon([(330, 220), (180, 480), (480, 480)], (20, 20, 20))
    s.draw.polygon([(330, 262), (218, 460), (442, 460)], (252, 206, 22))
    s.draw.line([330, 320, 330, 400], (20, 20, 20), 16)
    s.draw.ellipse([320, 416, 340, 436], (20, 20, 20))
    s.text(165, 330, "WET", "sans-bold", 76, (20, 20, 20), "m")
    s.text(165, 408, "FLOOR", "sans-bold", 76, (20, 20, 20), "m")
    scene = lay(plain(600, 640, (196, 198, 200), rng, 5, 80), s, 2.6, shadow=18)
    return photo(light(scene, 60, 0.4), rng, 6, 0.6), s


def sign_street(rng):
    s = Surface(560, 150, (28, 58, 120))
    s.box(6, 6, 554, 144, None, (240, 240, 240), 3, 6)
    s.text(280, 82, "MAPLE STREET", "dejavu-bold", 52, (245, 245, 245), "m")
    s.text(280, 124, "1200 - 1298", "dejavu-bold", 28, (245, 245, 245), "m")
    scene = lay(plain(760, 360, (206, 190, 164), rng, 10, 18), s, -3.6, shadow=8)
    return photo(light(scene, 0, 0.3), rng, 6, 0.5), s


# ---- receipts -------------------------------------------------------------------------------------------------------

def receipt(rng, width, height, scene, face, size, head, items, foot, angle, noise, blur, folds=(0.5,), tint=(250, 249, 244)):
    """head, foot: centred lines; items: (left, right), or None for a rule."""
    s = Surface(width, height, tint)
    y, ink = size * 2.2, (44, 42, 46)
    for text in head:
        s.text(width / 2, y, text, face, size, ink, "m")
        y += size * 1.35
    y += size * 0.6
    for item in items:
        if item is None:
            for x in range(20, width - 24, 12):
                s.line(x, y - size * 0.4, x + 6, y - size * 0.4, ink, 1)
        else:
            s.text(20, y, item[0], face, size, ink)
            s.text(width - 20, y, item[1], face, size, ink, "r", same_row=True)
        y += size * 1.4
    y += size * 0.8
    for text in foot:
        s.text(width / 2, y, text, face, size, ink, "m")
        y += size * 1.35
    s.image = s.image.crop((0, 0, width * 2, int(y + size) * 2))
    paper(s, rng, folds)
    scene = scene.crop((0, 0, scene.size[0], s.image.size[1] + 200))
    return photo(light(lay(scene, s, angle, shadow=10), 40, 0.3), rng, noise, blur), s


def receipt_grocery(rng):
    scene = planks(640, 900, (120, 84, 56), rng, 3)
    return receipt(rng, 420, 780, scene, "dejavu-mono", 19, ["GREEN VALLEY MARKET", "481 Oak Avenue", "Tel 555-0142"],
                   [("Milk 2L", "2.49"), ("Whole wheat bread", "3.20"), ("Bananas 1.2 kg", "1.68"), ("Cheddar cheese", "5.75"),
                    ("Tomatoes", "2.90"), ("Olive oil 500 ml", "7.40"), None, ("SUBTOTAL", "23.42"), ("TAX 5%", "1.17"),
                    ("TOTAL", "24.59"), ("CASH", "30.00"), ("CHANGE", "5.41")],
                   ["03/14/2024 17:52", "Thank you for shopping!"], -1.4, 5, 0.5)


def receipt_coffee(rng):
    scene = plain(520, 700, (58, 54, 52), rng, 8, 90)
    return receipt(rng, 340, 560, scene, "courier", 20, ["THE DAILY GRIND", "Coffee House"],
                   [("1 Cappuccino", "$4.25"), ("2 Espresso", "$5.00"), ("1 Blueberry muffin", "$3.75"), None,
                    ("Total", "$13.00"), ("Visa", "$13.00")],
                   ["Order 0087", "Have a great day!"], 2.3, 6, 0.5)


def receipt_diner(rng):
    scene = plain(700, 800, (182, 60, 54), rng, 5, 120)
    return receipt(rng, 460, 640, scene, "inconsolata", 24, ["ROSIE'S DINER", "Table 12   Server: Anna"],
                   [("Cheeseburger", "11.50"), ("Fish and chips", "13.95"), ("House salad", "7.25"), ("Lemonade x2", "6.00"),
                    None, ("Subtotal", "38.70"), ("Tax", "3.10"), ("Total", "41.80")],
                   ["Tip is not included"], 1.1, 7, 0.6)


def receipt_parking(rng):
    s = Surface(360, 300, (236, 240, 232))
    ink = (30, 34, 60)
    s.text(180, 48, "CITY PARKING", "sans-bold", 32, ink, "m")
    s.text(180, 82, "Garage 3, Level B", "sans", 22, ink, "m")
    s.text(24, 132, "Entry", "sans", 22, ink)
    s.text(336, 132, "09:15", "sans", 22, ink, "r", same_row=True)
    s.text(24, 164, "Exit", "sans", 22, ink)
    s.text(336, 164, "11:40", "sans", 22, ink, "r", same_row=True)
    s.text(24, 212, "PAID", "sans-bold", 30, ink)
    s.text(336, 212, "$7.50", "sans-bold", 30, ink, "r", same_row=True)
    s.text(180, 268, "Keep this ticket with you", "sans", 20, ink, "m")
    paper(s, rng)
    scene = lay(plain(480, 420, (40, 48, 58), rng, 8, 50), s, -3.1, shadow=8)
    return photo(scene, rng, 6, 0.4), s


def receipt_pharmacy(rng):
    scene = plain(560, 760, (160, 170, 176), rng, 5, 60)
    return receipt(rng, 400, 640, scene, "mono", 19, ["WELLNESS PHARMACY", "22 Harbor Road", "Store 118"],
                   [("Aspirin 100 mg", "6.49"), ("Vitamin C", "8.99"), ("Hand cream", "4.50"), ("Bandages", "3.29"), None,
                    ("TOTAL", "23.27"), ("DEBIT CARD", "23.27")],
                   ["Returns within 30 days", "with this receipt"], -2.7, 5, 0.5)


def receipt_hardware(rng):
    scene = planks(900, 1300, (168, 140, 104), rng, 5)
    return receipt(rng, 640, 1100, scene, "courier-bold", 30, ["HARRIS HARDWARE", "Main Street 9, Fairview"],
                   [("Wood screws 4x40", "5.99"), ("Paint brush 2 in", "7.25"), ("White paint 1 gal", "28.90"),
                    ("Sandpaper", "3.49"), ("Tape measure", "9.95"), None, ("SUBTOTAL", "55.58"), ("SALES TAX", "4.45"),
                    ("TOTAL", "60.03")], ["Cashier: Tom", "June 7, 2023  10:24 AM", "No returns on mixed paint"], 0.9, 6, 0.7)


# ---- screenshots ----------------------------------------------------------------------------------------------------

def screen_settings(rng):
    s = Surface(720, 520, (246, 247, 249))
    s.box(0, 0, 720, 64, (255, 255, 255))
    s.line(0, 64, 720, 64, (222, 224, 228))
    s.text(28, 42, "Settings", "roboto-medium", 26, (32, 33, 36))
    rows = [("Wi-Fi", "Home network", True), ("Bluetooth", "Off", False), ("Display", "Brightness 70%", None),
            ("Notifications", "12 apps allowed", None), ("Storage", "48 GB of 128 GB used", None)]
    for i, (a, b, switch) in enumerate(rows):
        y = 84 + i * 84
        s.box(20, y, 700, y + 74, (255, 255, 255), (226, 228, 232), 1, 10)
        s.text(44, y + 32, a, "roboto-medium", 20, (32, 33, 36))
        s.text(44, y + 58, b, "roboto", 17, (95, 99, 104))
        if switch is not None:
            s.box(620, y + 24, 672, y + 50, (26, 115, 232) if switch else (200, 203, 208), None, 1, 13)
            s.dot(659 if switch else 633, y + 37, 10, (255, 255, 255))
    return photo(s.image, rng), s


def screen_code(rng):
    s = Surface(800, 420, (30, 30, 38))
    s.box(0, 0, 800, 36, (44, 44, 54))
    for i, c in enumerate(((255, 95, 86), (255, 189, 46), (39, 201, 63))):
        s.dot(22 + i * 22, 18, 7, c)
    code = ["import math", "", "def area(radius):", "    if radius < 0:", "        raise ValueError(radius)",
            "    return math.pi * radius ** 2", "", "total = sum(area(r) for r in (1, 2, 3))", "print(round(total, 2))"]
    for i, text in enumerate(code):
        if text:
            x = 28 + (len(text) - len(text.lstrip())) * 12.04
            colour = (130, 200, 255) if i in (0, 2, 3) else (230, 230, 220)
            s.text(x, 78 + i * 36, text.lstrip(), "dejavu-mono", 20, colour)
    return photo(s.image, rng), s


def screen_email(rng):
    s = Surface(900, 600, (255, 255, 255))
    s.text(40, 66, "Team lunch on Thursday", "lato-bold", 32, (30, 30, 30))
    s.dot(64, 124, 24, (124, 77, 255))
    s.text(104, 118, "Sofia Martinez", "lato-bold", 20, (30, 30, 30))
    s.text(104, 142, "to everyone in Design", "lato", 17, (110, 110, 110))
    body = ["Hi all,", "We booked a table at the Blue Door for Thursday at 12:30.",
            "Please tell me by Tuesday if you have any allergies.", "The menu is attached, and the office pays for",
            "everything except drinks.", "See you there,", "Sofia"]
    for i, text in enumerate(body):
        s.text(40, 216 + i * 48, text, "lato", 23, (44, 44, 44))
    return photo(s.image, rng), s


def screen_chat(rng):
    s = Surface(420, 640, (236, 229, 221))
    s.box(0, 0, 420, 60, (7, 94, 84))
    s.text(70, 38, "Grandma", "roboto-medium", 22, (255, 255, 255))
    s.dot(36, 30, 20, (180, 214, 208))
    talk = [(0, ["Did you get home safely?"]), (1, ["Yes, just arrived!"]), (0, ["Great. Do not forget the", "cake on Sunday."]),
            (1, ["I will bring it at 3 o'clock"]), (0, ["Perfect, see you then"])]
    y = 84
    for mine, lines in talk:
        w = max(font("roboto", 20).getlength(t) / 2 for t in lines) + 32
        h = 24 + 28 * len(lines)
        x = 420 - w - 16 if mine else 16
        s.box(x, y, x + w, y + h, (220, 248, 198) if mine else (255, 255, 255), None, 1, 10)
        for i, t in enumerate(lines):
            s.text(x + 16, y + 33 + i * 28, t, "roboto", 20, (20, 20, 20))
        y += h + 22
    return photo(s.image, rng), s


def screen_terminal(rng):
    s = Surface(760, 300, (12, 12, 12))
    rows = ["$ git status", "On branch main", "Your branch is ahead by 2 commits.", "$ make test", "Running 48 tests",
            "All tests passed in 3.71 seconds"]
    for i, text in enumerate(rows):
        s.text(24, 48 + i * 42, text, "inconsolata", 24, (90, 230, 120) if text[0] == "$" else (220, 220, 220))
    return photo(s.image, rng), s


def screen_article(rng):
    s = Surface(1000, 720, (252, 251, 247))
    s.text(60, 96, "A quiet valley wakes up", "dejavu-serif-bold", 44, (24, 24, 24))
    s.text(60, 142, "By Daniel Price, 12 April 2024", "dejavu", 19, (120, 120, 120))
    s.line(60, 166, 940, 166, (210, 208, 200))
    body = ["For forty years the mill at the end of the road stood empty.", "Last spring two sisters from the city bought it, and",
            "within a year the old wheel was turning again. Today they", "grind flour for nine bakeries, and on Saturdays the yard",
            "is full of visitors who come to watch, taste and talk.", "The village school has reopened its second classroom,",
            "and the bus now stops here six times a day."]
    for i, text in enumerate(body):
        s.text(60, 232 + i * 62, text, "dejavu-serif", 25, (40, 40, 40))
    return photo(s.image, rng), s


def screen_error(rng):
    scene = Image.new("RGB", (1120, 560), (0, 99, 150))
    s = Surface(460, 200, (250, 250, 250))
    s.box(0, 0, 460, 200, None, (140, 140, 140))
    s.box(1, 1, 459, 34, (226, 230, 236))
    s.text(16, 24, "Disk Utility", "sans-bold", 16, (40, 40, 40))
    s.dot(48, 84, 20, (208, 40, 40))
    s.line(40, 76, 56, 92, (255, 255, 255), 3)
    s.line(56, 76, 40, 92, (255, 255, 255), 3)
    s.text(88, 78, "The backup could not be completed.", "sans", 19, (30, 30, 30))
    s.text(88, 108, "There is not enough free space on drive D.", "sans", 17, (30, 30, 30))
    for x, label in ((214, "Try again"), (340, "Cancel")):
        s.box(x, 148, x + 104, 182, (236, 236, 236), (150, 150, 150), 1, 4)
        s.text(x + 52, 171, label, "sans", 17, (30, 30, 30), "m", same_row=x > 300)
    return photo(lay(scene, s, 0, shadow=6), rng), s


def screen_weather(rng):
    s = Surface(480, 420, (40, 92, 170))
    s.image = light(s.image, 90, 0.5)
    s.draw = ImageDraw.Draw(s.image)
    white = (255, 255, 255)
    s.text(240, 56, "Lisbon", "roboto-medium", 34, white, "m")
    s.text(240, 92, "Partly cloudy, feels like 21", "roboto", 20, (230, 238, 250), "m")
    for i, (d, t, w) in enumerate((("Monday", "24", "Sunny"), ("Tuesday", "22", "Windy"), ("Wednesday", "19", "Rain"),
                                   ("Thursday", "20", "Cloudy"))):
        y = 160 + i * 64
        s.line(30, y - 38, 450, y - 38, (120, 158, 210))
        s.text(36, y, d, "roboto", 24, white)
        s.text(240, y, w, "roboto", 24, white, same_row=True)
        s.text(444, y, t, "roboto-medium", 24, white, "r", same_row=True)
    return photo(s.image, rng), s


# ---- posters --------------------------------------------------------------------------------------------------------

def poster_concert(rng):
    s = Surface(640, 900, (28, 22, 60))
    s.image = light(s.image, 90, 0.9)
    s.draw = ImageDraw.Draw(s.image)
    for i in range(9):
        s.dot(320, 470, 40 + i * 26, None, (90 + i * 12, 50 + i * 4, 130), 3)
    s.box(120, 400, 520, 540, (28, 22, 60))
    s.text(320, 120, "SUMMER NIGHTS", "bebas-bold", 96, (255, 214, 90), "m")
    s.text(320, 186, "Open Air Concert", "lato", 42, (255, 240, 210), "m")
    s.text(320, 460, "The Silver Foxes", "lato-black", 46, (255, 255, 255), "m")
    s.text(320, 516, "with Clara Stone", "lato", 34, (255, 255, 255), "m")
    s.text(320, 770, "SATURDAY 20 JULY", "bebas-bold", 62, (255, 214, 90), "m")
    s.text(320, 826, "Doors open at 7 PM", "lato", 36, (255, 240, 210), "m")
    return photo(lay(bricks(820, 1060, (124, 118, 112), rng), s, -1.1, shadow=12), rng, 5, 0.6), s


def poster_cat(rng):
    s = Surface(480, 660, (252, 252, 250))
    s.text(240, 92, "LOST CAT", "sans-bold", 78, (20, 20, 20), "m")
    s.box(90, 120, 390, 380, (188, 196, 186))
    s.draw.ellipse([370, 380, 590, 700], (232, 150, 70))
    s.draw.ellipse([390, 300, 570, 470], (240, 160, 80))
    s.draw.polygon([(400, 350), (410, 260), (460, 320)], (240, 160, 80))
    s.draw.polygon([(560, 350), (550, 260), (500, 320)], (240, 160, 80))
    s.draw.ellipse([430, 370, 450, 396], (40, 60, 30))
    s.draw.ellipse([510, 370, 530, 396], (40, 60, 30))
    s.text(240, 436, "Orange, white paws", "sans", 36, (20, 20, 20), "m")
    s.text(240, 484, "Answers to Pumpkin", "sans", 36, (20, 20, 20), "m")
    s.text(240, 548, "$100 REWARD", "sans-bold", 48, (190, 20, 20), "m")
    s.text(240, 612, "Call 555-0188", "sans-bold", 44, (20, 20, 20), "m")
    paper(s, rng, (0.33,))
    return photo(light(lay(plain(640, 820, (110, 88, 66), rng, 16, 14), s, 2.9, shadow=8), 10, 0.3), rng, 6, 0.6), s


def poster_yoga(rng):
    s = Surface(560, 760, (226, 238, 226))
    s.dot(280, 330, 120, (250, 208, 140))
    s.draw.polygon([(0, 900), (300, 640), (560, 820), (840, 600), (1120, 860), (1120, 960), (0, 960)], (120, 168, 140))
    s.text(280, 104, "Morning Yoga", "serif-italic", 76, (40, 78, 62), "m")
    s.text(280, 156, "for beginners", "serif-italic", 46, (40, 78, 62), "m")
    s.text(280, 560, "Every Tuesday 7:30 AM", "lato-bold", 38, (40, 78, 62), "m")
    s.text(280, 614, "City Park Pavilion", "lato", 36, (40, 78, 62), "m")
    s.text(280, 690, "First class is free", "lato-bold", 34, (176, 82, 40), "m")
    return photo(lay(plain(680, 880, (222, 216, 206), rng, 4, 80), s, 0.6, shadow=8), rng, 4, 0.5), s


def poster_sale(rng):
    s = Surface(1000, 620, (214, 30, 44))
    s.text(500, 190, "WINTER SALE", "lato-black", 130, (255, 255, 255), "m")
    s.box(230, 236, 770, 356, (255, 226, 60), None, 1, 14)
    s.text(500, 328, "UP TO 50% OFF", "lato-black", 64, (30, 30, 30), "m")
    s.text(500, 440, "Coats, boots and scarves", "lato-bold", 56, (255, 255, 255), "m")
    s.text(500, 536, "Ends Sunday, January 28", "lato", 48, (255, 255, 255), "m")
    scene = lay(plain(1200, 800, (70, 78, 86), rng, 5, 120), s, -2.0, shadow=16)
    return photo(light(scene, 150, 0.35), rng, 6, 0.6), s


def poster_books(rng):
    s = Surface(1160, 1000, (248, 240, 220))
    for i, c in enumerate(((150, 50, 50), (44, 86, 110), (90, 116, 70), (190, 140, 50), (80, 60, 100))):
        s.box(230 + i * 140, 390, 340 + i * 140, 690, c, (40, 34, 30), 3)
        s.box(244 + i * 140, 430, 326 + i * 140, 446, (248, 240, 220))
    s.box(180, 690, 980, 716, (96, 66, 40))
    ink = (50, 36, 26)
    s.text(580, 150, "Old Town Book Fair", "dejavu-serif-bold", 88, ink, "m")
    s.text(580, 240, "New and used books for everyone", "dejavu-serif", 46, ink, "m")
    s.text(580, 320, "May 4 and 5, 10 AM to 5 PM", "dejavu-serif", 46, ink, "m")
    s.text(580, 810, "Library Square, Hall 2", "dejavu-serif-bold", 52, ink, "m")
    s.text(580, 890, "Admission: 3 dollars, children free", "dejavu-serif", 40, ink, "m")
    scene = lay(bricks(1400, 1200, (158, 110, 88), rng), s, 1.6, shadow=16)
    return photo(light(scene, 45, 0.35), rng, 6, 0.8), s


def poster_film(rng):
    s = Surface(620, 880, (10, 24, 34))
    s.image = light(s.image, 270, 1.2)
    s.draw = ImageDraw.Draw(s.image)
    s.dot(310, 330, 130, (236, 226, 190))
    s.draw.polygon([(0, 1020), (360, 740), (620, 960), (900, 700), (1240, 1000), (1240, 1120), (0, 1120)], (4, 10, 16))
    s.text(310, 100, "A film by Maria Lindqvist", "lato", 34, (214, 224, 230), "m")
    s.text(310, 650, "THE LAST", "bebas-bold", 110, (244, 240, 226), "m")
    s.text(310, 750, "LIGHTHOUSE", "bebas-bold", 110, (244, 240, 226), "m")
    s.text(310, 828, "In theaters October 11", "lato", 36, (214, 224, 230), "m")
    return photo(lay(plain(760, 1000, (150, 146, 140), rng, 5, 100), s, -0.5, shadow=10), rng, 5, 0.6), s


def poster_market(rng):
    s = Surface(1320, 900, (255, 248, 226))
    s.box(0, 0, 1320, 210, (60, 120, 66))
    s.text(660, 148, "FARMERS MARKET", "roboto-bold", 116, (255, 255, 255), "m")
    for i in range(7):
        s.dot(190 + i * 156, 310, 46, ((214, 60, 48), (240, 160, 40), (120, 160, 60))[i % 3])
    ink = (48, 58, 40)
    s.text(660, 470, "Local fruit, honey, cheese and flowers", "roboto", 58, ink, "m")
    s.text(660, 580, "Every Saturday from May to October", "roboto-medium", 58, ink, "m")
    s.text(660, 690, "Church Street Car Park, 8 AM - 1 PM", "roboto", 54, ink, "m")
    s.text(660, 810, "Bring your own bags!", "roboto-bold", 60, (196, 70, 40), "m")
    scene = lay(planks(1600, 1100, (140, 148, 152), rng, 6), s, 2.1, shadow=16)
    return photo(light(scene, 300, 0.3), rng, 8, 0.9), s


def demo_sign(rng):
    """examples/sign.jpg: a hanging shop sign in front of a window."""
    wall = bricks(900, 600, (164, 92, 70), rng)
    d = ImageDraw.Draw(wall)
    d.rectangle([70, 0, 1730, 1200], (58, 44, 36))
    d.rectangle([110, 0, 1690, 1200], (92, 118, 128))
    glass = Image.new("RGB", wall.size, (92, 118, 128))
    g = ImageDraw.Draw(glass)
    for x, r, c in ((300, 150, (240, 214, 150)), (900, 110, (250, 232, 180)), (1480, 170, (230, 190, 130)),
                    (620, 70, (180, 206, 190)), (1220, 80, (206, 214, 196))):
        g.ellipse([x - r, 190 - r // 2, x + r, 190 + r * 2], c)
    g.rectangle([110, 980, 1690, 1200], (70, 64, 60))
    g.polygon([(250, 0), (520, 0), (150, 1200), (-120, 1200)], (130, 152, 160))
    glass = glass.filter(ImageFilter.GaussianBlur(46))
    wall.paste(glass.crop((110, 0, 1690, 1200)), (110, 0))
    d = ImageDraw.Draw(wall)
    d.rectangle([890, 0, 906, 1200], (58, 44, 36))
    s = Surface(600, 330, (24, 66, 60))
    s.image = shade(s.image, grain(s.image.size, rng, 60, 5))
    s.draw = ImageDraw.Draw(s.image)
    gold, cream = (222, 188, 116), (248, 240, 218)
    s.box(12, 12, 588, 318, None, gold, 3, 18)
    s.box(20, 20, 580, 310, None, gold, 1, 14)
    s.text(300, 146, "OPEN DAILY", "lato-black", 84, cream, "m")
    s.line(130, 178, 262, 178, gold, 2)
    s.line(338, 178, 470, 178, gold, 2)
    s.draw.polygon([(600, 342), (614, 356), (600, 370), (586, 356)], gold)
    s.text(300, 262, "9 AM - 6 PM", "lato-bold", 64, cream, "m")
    scene = wall
    d = ImageDraw.Draw(scene)
    for x in (560, 1240):
        d.line([x, 0, x, 330], (30, 28, 28), 7)
        d.line([x - 3, 0, x - 3, 330], (120, 116, 110), 2)
    mask = Image.new("L", s.image.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle([0, 0, mask.size[0] - 1, mask.size[1] - 1], 48, 255)
    board = s.image.convert("RGBA")
    board.putalpha(mask)
    turned = board.rotate(-1.0, Image.BICUBIC, expand=True)
    x, y = (scene.size[0] - turned.size[0]) // 2, 300
    dark = Image.new("L", scene.size, 0)
    dark.paste(turned.getchannel("A"), (x + 16, y + 22))
    dark = dark.filter(ImageFilter.GaussianBlur(18))
    scene = Image.composite(shade(scene, Image.new("L", scene.size, 64)), scene, dark)
    scene.paste(turned, (x, y), turned)
    return photo(light(scene, 35, 0.3), rng, 4, 0.5), s


# (name, kind, question, maker, extension, JPEG quality, EXIF orientation)
PICTURES = [
    ("bakery", "sign", "What does the sign say?", sign_bakery, "jpg", 75, 1),
    ("exit", "sign", "Read this highway sign for me.", sign_exit, "jpg", 70, 1),
    ("parking", "sign", "What is written on this parking sign?", sign_parking, "jpg", 75, 1),
    ("paint", "sign", "What does the yellow note say?", sign_paint, "jpg", 85, 1),
    ("neon", "sign", "Can you read the neon lettering?", sign_neon, "jpg", 75, 1),
    ("door", "sign", "What does the plate on the door say?", sign_door, "jpg", 80, 1),
    ("trail", "sign", "What does the trail sign say?", sign_trail, "jpg", 80, 6),
    ("floor", "sign", "What text is on this warning sign?", sign_floor, "jpg", 60, 1),
    ("street", "sign", "Read the street name sign.", sign_street, "jpg", 70, 1),
    ("grocery", "receipt", "Please read all the text on this receipt.", receipt_grocery, "jpg", 75, 1),
    ("coffee", "receipt", "What does this receipt say?", receipt_coffee, "jpg", 80, 1),
    ("diner", "receipt", "Transcribe the bill, please.", receipt_diner, "jpg", 70, 1),
    ("ticket", "receipt", "What is printed on this parking ticket?", receipt_parking, "jpg", 75, 1),
    ("pharmacy", "receipt", "Can you read out the receipt from the pharmacy?", receipt_pharmacy, "jpg", 65, 1),
    ("hardware", "receipt", "Type out the text of this receipt.", receipt_hardware, "jpg", 55, 1),
    ("settings", "screenshot", "What text is shown on this screen?", screen_settings, "png", 0, 1),
    ("code", "screenshot", "Give me the text of this screenshot.", screen_code, "png", 0, 1),
    ("email", "screenshot", "What does the email say?", screen_email, "png", 0, 1),
    ("chat", "screenshot", "Read the messages in this screenshot.", screen_chat, "jpg", 70, 1),
    ("terminal", "screenshot", "What is written in the terminal?", screen_terminal, "png", 0, 1),
    ("article", "screenshot", "Extract the text of this article.", screen_article, "jpg", 60, 1),
    ("error", "screenshot", "What does the error message say?", screen_error, "png", 0, 1),
    ("weather", "screenshot", "What words and numbers are on the weather screen?", screen_weather, "jpg", 85, 1),
    ("concert", "poster", "What does the poster say?", poster_concert, "jpg", 60, 1),
    ("cat", "poster", "Read the lost cat poster.", poster_cat, "jpg", 70, 1),
    ("yoga", "poster", "What is written on the flyer?", poster_yoga, "jpg", 75, 1),
    ("sale", "poster", "What words are on this banner?", poster_sale, "jpg", 50, 1),
    ("books", "poster", "What text can you see on the poster?", poster_books, "jpg", 50, 1),
    ("film", "poster", "What does the movie poster say?", poster_film, "jpg", 65, 1),
    ("market", "poster", "Please read the text on this poster.", poster_market, "jpg", 40, 1),
]


def save(image, path, quality, orientation):
    if path.endswith(".png"):
        image.quantize(200, dither=Image.Dither.NONE).save(path, optimize=True)
        return
    if orientation == 6:  # stored turned; a reader turns it clockwise by 90 degrees to show it
        image = image.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    if orientation != 1:
        exif[0x0112] = orientation
    image.save(path, quality=quality, optimize=True, exif=exif)


def main():
    only = set(sys.argv[1:])
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, "truth.jsonl"), "w", encoding="utf-8") as truth:
        for i, (name, kind, question, make, ext, quality, orientation) in enumerate(PICTURES):
            image, surface = make(numpy.random.default_rng(1000 + i))
            file = f"{i + 1:02d}-{name}.{ext}"
            if not only or name in only:
                save(image, os.path.join(OUT, file), quality, orientation)
            truth.write(json.dumps({"image": file, "kind": kind, "question": question,
                                    "text": "\n".join(surface.rows)}, ensure_ascii=False) + "\n")
    if not only or "sign" in only:
        os.makedirs("examples", exist_ok=True)
        save(demo_sign(numpy.random.default_rng(7))[0], "examples/sign.jpg", 82, 1)


if __name__ == "__main__":
    main()
