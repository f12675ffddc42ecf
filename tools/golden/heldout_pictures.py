# SPDX-License-Identifier: MIT
"""Draws data/heldout/pictures/*.jpg: small scenes for the held-out instructions.

Run from the repository's root: python3 tools/golden/heldout_pictures.py   (Pillow, numpy)
Scenes are drawn at three times their size in coordinates of 320x240 and made smaller, with a little grain, so that
they look like snapshots of a picture book. Positions that instructions point at are theirs, 0..1.
"""
import os

import numpy
from PIL import Image, ImageDraw, ImageFilter, ImageFont

OUT = "data/heldout/pictures"
K = 3


class Scene:
    def __init__(self, top, bottom, w=320, h=240):
        ramp = numpy.linspace(0, 1, h * K)[:, None, None]
        a = numpy.array(top) * (1 - ramp) + numpy.array(bottom) * ramp
        self.image = Image.fromarray(numpy.broadcast_to(a, (h * K, w * K, 3)).astype("uint8"))
        self.d = ImageDraw.Draw(self.image)

    def box(self, x0, y0, x1, y1, c, r=0):
        self.d.rounded_rectangle([x0 * K, y0 * K, x1 * K, y1 * K], r * K, c)

    def oval(self, x, y, rx, ry, c):
        self.d.ellipse([(x - rx) * K, (y - ry) * K, (x + rx) * K, (y + ry) * K], c)

    def poly(self, c, *points):
        self.d.polygon([(x * K, y * K) for x, y in points], c)

    def line(self, c, w, *points):
        self.d.line([(x * K, y * K) for x, y in points], c, int(w * K), joint="curve")

    def text(self, x, y, s, size, c, bold=True):
        name = "LiberationSans-Bold" if bold else "LiberationMono-Regular"
        f = ImageFont.truetype(f"/usr/share/fonts/truetype/liberation/{name}.ttf", size * K)
        self.d.text((x * K, y * K), s, c, f, anchor="ms" if bold else "ls")

    def save(self, name):
        rng = numpy.random.default_rng(len(name) * 31 + ord(name[0]))
        w, h = self.image.size
        image = self.image.filter(ImageFilter.GaussianBlur(1.2)).resize((w // K, h // K), Image.LANCZOS)
        a = numpy.asarray(image, dtype="float32") + rng.normal(0, 3, (h // K, w // K, 1))
        Image.fromarray(numpy.clip(a, 0, 255).astype("uint8")).save(os.path.join(OUT, name + ".jpg"), quality=82)


def tree(s, x, y, size, leaf):
    s.box(x - size * 0.1, y - size * 0.7, x + size * 0.1, y, (104, 72, 46))
    for dx, dy, r in ((0, -1.25, 0.5), (-0.35, -0.95, 0.42), (0.35, -0.95, 0.42)):
        s.oval(x + dx * size, y + dy * size, r * size, r * size, leaf)


def car(s, x, y, c):
    s.poly(c, (x + 10, y - 10), (x + 18, y - 20), (x + 40, y - 20), (x + 50, y - 10))
    s.poly((190, 216, 228), (x + 14, y - 10), (x + 20, y - 18), (x + 38, y - 18), (x + 45, y - 10))
    s.box(x, y - 11, x + 60, y + 2, c, 4)
    for dx in (14, 46):
        s.oval(x + dx, y + 2, 6, 6, (30, 30, 32))
        s.oval(x + dx, y + 2, 2.5, 2.5, (190, 190, 190))


def person(s, x, y, size, shirt, legs=(50, 60, 90), hair=(70, 46, 30)):
    s.box(x - 0.13 * size, y - 0.45 * size, x - 0.02 * size, y, legs)
    s.box(x + 0.02 * size, y - 0.45 * size, x + 0.13 * size, y, legs)
    s.box(x - 0.17 * size, y - 0.82 * size, x + 0.17 * size, y - 0.42 * size, shirt, 3)
    s.oval(x, y - 0.94 * size, 0.11 * size, 0.12 * size, (228, 184, 150))
    s.oval(x, y - 1.01 * size, 0.11 * size, 0.07 * size, hair)


def street():
    s = Scene((150, 194, 232), (220, 234, 244))
    for x, h, c in ((0, 110, (206, 150, 120)), (70, 140, (222, 200, 160)), (150, 100, (160, 170, 150)), (222, 130, (190, 120, 104))):
        s.box(x, 168 - h, x + 68, 168, c)
        for i in range(3):
            for j in range(int(h / 36)):
                s.box(x + 8 + i * 20, 168 - h + 12 + j * 34, x + 20 + i * 20, 168 - h + 30 + j * 34, (90, 110, 130))
    s.box(0, 166, 320, 186, (176, 174, 168))
    s.box(0, 186, 320, 240, (84, 86, 90))
    for x in range(10, 320, 50):
        s.box(x, 212, x + 26, 215, (230, 230, 220))
    tree(s, 298, 176, 44, (92, 146, 72))
    s.box(133, 96, 136, 180, (60, 60, 60))
    s.box(127, 74, 142, 108, (40, 40, 42), 3)
    for y, c in ((80, (230, 50, 40)), (91, (120, 110, 40)), (102, (50, 100, 60))):
        s.oval(134.5, y, 4, 4, c)
    car(s, 20, 204, (200, 40, 44))
    car(s, 120, 206, (44, 90, 170))
    car(s, 224, 230, (236, 196, 50))
    person(s, 100, 184, 44, (240, 240, 236))
    person(s, 208, 183, 42, (120, 60, 120))
    s.save("street")


def fruit():
    s = Scene((226, 214, 196), (212, 196, 174))
    s.box(0, 130, 320, 240, (150, 104, 66))
    s.oval(110, 168, 84, 30, (70, 120, 150))
    s.oval(110, 160, 80, 22, (40, 80, 104))
    for x, y, c in ((70, 146, (200, 40, 40)), (104, 140, (240, 150, 40)), (138, 146, (200, 40, 40)), (88, 156, (240, 150, 40)), (122, 156, (150, 180, 60))):
        s.oval(x, y, 20, 19, c)
        s.oval(x - 6, y - 7, 4, 3, (255, 236, 220))
        s.line((90, 60, 30), 1.5, (x, y - 18), (x + 3, y - 24))
    for k in range(3):
        s.line((240, 208, 60), 11, (220, 178 + k * 10), (246, 190 + k * 9), (280, 176 + k * 8))
    s.poly((236, 240, 244), (236, 84), (276, 84), (270, 140), (242, 140))
    s.oval(256, 84, 20, 5, (200, 224, 236))
    s.line((120, 150, 90), 2, (256, 90), (252, 46))
    s.oval(252, 40, 14, 12, (220, 80, 130))
    s.save("fruit")


def dog():
    s = Scene((168, 206, 236), (226, 238, 246))
    s.box(0, 130, 320, 240, (112, 168, 82))
    for x in range(4, 320, 24):
        s.poly((246, 244, 238), (x, 92), (x + 8, 84), (x + 16, 92), (x + 16, 142), (x, 142))
    s.box(0, 104, 320, 110, (246, 244, 238))
    brown, dark = (150, 98, 58), (104, 64, 38)
    s.oval(150, 168, 52, 30, brown)
    for x in (112, 130, 172, 190):
        s.box(x - 7, 172, x + 7, 216, brown, 5)
    s.line(brown, 9, (198, 160), (222, 138), (228, 120))
    s.oval(98, 132, 28, 26, brown)
    s.oval(80, 142, 17, 12, (196, 150, 106))
    s.oval(66, 138, 5, 4, (30, 24, 22))
    s.oval(90, 126, 4, 4, (24, 20, 18))
    s.oval(116, 134, 9, 22, dark)
    s.box(96, 152, 126, 159, (40, 90, 180), 3)
    s.oval(256, 206, 19, 19, (214, 44, 44))
    s.oval(250, 199, 5, 4, (250, 170, 160))
    s.save("dog")


def room():
    s = Scene((232, 220, 200), (222, 208, 186))
    s.box(0, 176, 320, 240, (160, 116, 78))
    s.oval(160, 212, 124, 22, (170, 70, 66))
    s.box(24, 30, 106, 110, (250, 248, 240))
    s.box(30, 36, 100, 104, (150, 200, 232))
    s.box(63, 36, 67, 104, (250, 248, 240))
    s.box(140, 34, 204, 84, (90, 64, 40))
    s.box(145, 39, 199, 79, (200, 216, 190))
    s.poly((90, 130, 110), (145, 79), (166, 52), (182, 70), (199, 79))
    teal = (58, 124, 128)
    s.box(92, 118, 236, 168, teal, 10)
    s.box(80, 142, 106, 196, teal, 8)
    s.box(222, 142, 248, 196, teal, 8)
    s.box(100, 160, 228, 194, (74, 146, 150), 6)
    s.box(118, 130, 150, 162, (240, 190, 70), 6)
    s.box(278, 96, 282, 206, (70, 70, 70))
    s.poly((250, 226, 150), (262, 96), (298, 96), (290, 62), (270, 62))
    s.box(262, 204, 298, 209, (70, 70, 70))
    s.poly((180, 96, 60), (24, 178), (60, 178), (54, 214), (30, 214))
    for dx in (-18, -8, 2, 14):
        s.line((60, 130, 70), 5, (42, 180), (42 + dx, 140 - abs(dx)))
    s.save("room")


def beach():
    s = Scene((110, 180, 230), (214, 236, 246))
    s.oval(262, 46, 22, 22, (255, 232, 130))
    s.box(0, 104, 320, 166, (40, 126, 170))
    for y in (124, 140, 154):
        s.line((120, 190, 214), 1.5, (0, y), (80, y - 3), (160, y), (240, y - 3), (320, y))
    s.poly((238, 216, 164), (0, 172), (120, 160), (320, 166), (320, 240), (0, 240))
    s.poly((120, 70, 44), (176, 118), (226, 118), (216, 130), (186, 130))
    s.poly((252, 252, 252), (202, 112), (202, 62), (236, 112))
    s.poly((236, 230, 220), (198, 112), (198, 70), (178, 112))
    s.line((120, 90, 60), 3, (72, 214), (84, 132))
    for i, c in enumerate(((220, 50, 60), (250, 250, 250), (220, 50, 60), (250, 250, 250))):
        s.poly(c, (84, 118), (40 + i * 24, 150 - i * 2), (64 + i * 24, 148 - i * 2))
    s.box(92, 200, 142, 214, (80, 170, 200), 4)
    s.oval(214, 208, 13, 13, (250, 250, 250))
    s.poly((230, 80, 60), (214, 195), (226, 206), (214, 208))
    s.poly((60, 110, 200), (214, 221), (202, 212), (214, 208))
    s.save("beach")


def portrait():
    s = Scene((120, 150, 140), (160, 182, 166), 240, 300)
    s.poly((60, 80, 130), (30, 300), (60, 220), (120, 206), (180, 220), (210, 300))
    s.box(102, 176, 138, 222, (214, 164, 130), 8)
    s.oval(120, 138, 48, 58, (232, 186, 152))
    s.oval(120, 92, 74, 14, (206, 176, 110))
    s.poly((216, 188, 124), (78, 90), (88, 44), (152, 44), (162, 90))
    s.box(80, 78, 160, 90, (120, 50, 50))
    for x in (101, 139):
        s.oval(x, 132, 14, 11, (40, 40, 44))
        s.oval(x, 132, 11, 8, (90, 110, 120))
    s.line((40, 40, 44), 3, (114, 131), (126, 131))
    s.line((196, 140, 108), 3, (120, 138), (114, 156), (123, 158))
    s.line((170, 60, 60), 4, (102, 172), (120, 180), (138, 172))
    for y in (246, 270):
        s.oval(120, y, 4, 4, (230, 230, 220))
    s.save("portrait")


def skyline():
    s = Scene((14, 20, 54), (86, 70, 110))
    s.oval(250, 50, 20, 20, (244, 240, 214))
    rng = numpy.random.default_rng(3)
    for x, y in rng.integers((0, 0), (320, 110), (40, 2)):
        s.oval(x, y, 0.8, 0.8, (255, 255, 255))
    for x, w, h in ((0, 40, 90), (38, 34, 130), (74, 46, 76), (122, 26, 160), (150, 50, 104), (202, 36, 140), (240, 44, 92), (284, 36, 120)):
        s.box(x, 196 - h, x + w, 196, (22, 24, 40))
        for i in range(int(w / 9)):
            for j in range(int(h / 13)):
                if rng.random() < 0.5:
                    s.box(x + 3 + i * 9, 200 - h + j * 13, x + 7 + i * 9, 206 - h + j * 13, (250, 214, 120))
    s.box(0, 196, 320, 240, (30, 34, 70))
    for y in range(202, 240, 8):
        s.line((120, 110, 120), 1, (20 + y % 30, y), (300 - y % 40, y))
    s.save("skyline")


def kitchen():
    s = Scene((240, 236, 224), (228, 222, 208))
    s.box(0, 150, 320, 240, (128, 92, 64))
    s.box(0, 142, 320, 154, (210, 206, 200))
    s.box(236, 30, 312, 230, (206, 214, 220), 5)
    s.line((150, 158, 166), 2, (236, 104), (312, 104))
    s.box(242, 60, 246, 90, (110, 116, 122))
    s.box(242, 116, 246, 160, (110, 116, 122))
    s.box(30, 24, 124, 92, (250, 250, 246))
    s.box(36, 30, 118, 86, (176, 214, 236))
    s.oval(64, 122, 24, 22, (190, 40, 46))
    s.poly((190, 40, 46), (80, 112), (102, 100), (98, 112), (84, 128))
    s.line((40, 40, 44), 4, (46, 108), (64, 92), (82, 108))
    s.box(112, 116, 136, 143, (250, 250, 250), 3)
    s.line((250, 250, 250), 3, (136, 122), (146, 124), (144, 134), (136, 136))
    s.box(156, 118, 180, 143, (60, 110, 170), 3)
    s.line((60, 110, 170), 3, (180, 124), (190, 126), (188, 136), (180, 138))
    s.poly((240, 200, 70), (196, 142), (202, 116), (224, 116), (230, 142))
    for x in (20, 92, 164):
        s.box(x, 164, x + 62, 228, (150, 112, 80), 3)
        s.oval(x + 54, 194, 3, 3, (230, 220, 190))
    s.save("kitchen")


def notice():
    s = Scene((130, 136, 128), (150, 152, 146))
    s.box(36, 40, 284, 204, (250, 248, 240), 6)
    s.box(44, 48, 276, 196, (30, 70, 120), 4)
    s.text(160, 92, "LIBRARY", 34, (250, 250, 250))
    s.text(160, 132, "QUIET AREA", 26, (250, 220, 110))
    s.text(160, 172, "Phones off please", 20, (250, 250, 250))
    s.save("notice")


def receipt():
    s = Scene((96, 70, 50), (120, 88, 62), 240, 300)
    s.poly((250, 249, 242), (40, 16), (204, 20), (198, 288), (34, 284))
    for i, t in enumerate(("CORNER SHOP", "Eggs     3.10", "Butter   2.80", "Coffee   6.45", "", "TOTAL   12.35", "CARD    12.35", "", "THANK YOU")):
        s.text(54, 52 + i * 26, t, 15, (40, 40, 44), bold=False)
    s.save("receipt")


def park():
    s = Scene((160, 206, 238), (228, 240, 246))
    s.box(0, 120, 320, 240, (126, 176, 92))
    s.poly((214, 196, 160), (130, 120), (190, 120), (290, 240), (30, 240))
    tree(s, 40, 150, 60, (70, 130, 60))
    tree(s, 286, 146, 54, (84, 144, 66))
    for x, y, c in ((70, 196, (190, 50, 50)), (206, 202, (40, 80, 150))):
        for dx in (0, 46):
            s.oval(x + dx, y, 17, 17, (40, 40, 40))
            s.oval(x + dx, y, 14, 14, (190, 190, 150))
        s.line(c, 3, (x, y), (x + 14, y - 24), (x + 38, y - 24), (x + 22, y), (x, y))
        s.line(c, 3, (x + 38, y - 30), (x + 46, y))
        s.line((40, 40, 40), 3, (x + 32, y - 34), (x + 44, y - 34))
    s.box(226, 136, 284, 141, (130, 84, 50))
    s.box(226, 150, 284, 156, (130, 84, 50))
    for x in (232, 276):
        s.box(x, 138, x + 4, 170, (70, 50, 36))
    for x, y in ((120, 40), (150, 54), (190, 34), (216, 60)):
        s.line((40, 40, 50), 2, (x - 9, y - 4), (x, y), (x + 9, y - 4))
    person(s, 156, 160, 40, (240, 190, 60))
    s.save("park")


def sketch():
    s = Scene((250, 248, 242), (244, 242, 234))
    ink = (60, 60, 64)
    s.line(ink, 2, (20, 196), (300, 192))
    s.line(ink, 2, (90, 194), (90, 110), (210, 108), (210, 193))
    s.line(ink, 2, (78, 116), (150, 54), (222, 114))
    s.line(ink, 2, (138, 193), (138, 150), (162, 150), (162, 193))
    for x in (102, 176):
        s.line(ink, 2, (x, 126), (x + 22, 126), (x + 22, 146), (x, 146), (x, 126))
    s.line(ink, 2, (184, 78), (184, 54), (198, 54), (198, 92))
    s.line(ink, 2, (254, 193), (254, 150))
    s.d.ellipse([232 * K, 104 * K, 276 * K, 154 * K], None, ink, 5)
    s.save("sketch")


def desk():
    s = Scene((200, 210, 214), (188, 196, 198))
    s.box(0, 146, 320, 240, (176, 132, 88))
    s.box(104, 76, 214, 150, (50, 52, 56), 5)
    s.box(109, 81, 209, 145, (120, 176, 210))
    s.poly((150, 152, 156), (96, 166), (112, 150), (206, 150), (224, 166))
    for i, c in enumerate(((180, 60, 50), (60, 100, 140), (90, 130, 80))):
        s.box(16, 130 - i * 14, 84, 143 - i * 14, c, 2)
    s.box(20, 176, 44, 206, (250, 250, 246), 3)
    s.line((250, 250, 246), 3, (44, 182), (54, 184), (52, 196), (44, 198))
    grey = (110, 108, 106)
    s.oval(268, 158, 34, 28, grey)
    s.oval(254, 118, 20, 18, grey)
    s.poly(grey, (238, 112), (236, 90), (250, 102))
    s.poly(grey, (270, 112), (272, 90), (258, 102))
    for x in (247, 261):
        s.oval(x, 116, 3, 4, (180, 210, 90))
    s.line(grey, 8, (296, 168), (312, 148), (308, 126))
    s.save("desk")


if __name__ == "__main__":
    os.makedirs(OUT, exist_ok=True)
    for make in (street, fruit, dog, room, beach, portrait, skyline, kitchen, notice, receipt, park, sketch, desk):
        make()
