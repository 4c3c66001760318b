"""The pictures of the starters: flat scenes, drawn in the workspace's own colours."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from campaigns.content.brand import Brand
from campaigns.content.starters.drawing import Board, Palette

_WIDE = (600, 260)
_CARD = (480, 340)


def _hills(b: Board, p: Palette) -> None:
    b.oval(420, 150, 150, 150, p.glow_soft)
    b.oval(420, 150, 104, 104, p.glow)
    b.hill(168, 16, 0.4, p.soft)
    b.hill(196, 18, 2.6, p.mid)
    b.hill(226, 14, 4.4, p.main, waves=0.9)
    b.shape([(96, 118), (196, 70), (150, 132)], p.paper)
    b.shape([(196, 70), (150, 132), (134, 124)], p.soft)
    b.shape([(134, 124), (150, 132), (139, 148)], p.mid)
    for x, y in ((78, 140), (62, 151), (46, 158)):
        b.oval(x, y, 5, 5, p.mid)


def _letter(b: Board, p: Palette) -> None:
    b.oval(300, 300, 620, 260, p.soft)
    b.shape([(180, 118), (300, 40), (420, 118)], p.deep)
    b.box(204, 46, 192, 150, p.paper, round_by=8)
    b.box(228, 70, 92, 12, p.glow, round_by=6)
    for row, width in enumerate((144, 144, 110)):
        b.box(228, 96 + row * 18, width, 6, p.soft, round_by=3)
    b.shape([(180, 116), (300, 186), (180, 236)], p.main)
    b.shape([(420, 116), (300, 186), (420, 236)], p.main)
    b.shape([(180, 240), (300, 156), (420, 240)], p.mid)
    for x, y, size in ((122, 92, 12), (92, 150, 8), (486, 78, 10), (516, 136, 14), (148, 42, 7)):
        b.oval(x, y, size, size, p.glow if size > 9 else p.mid)


def _spotlight(b: Board, p: Palette) -> None:
    b.shape([(218, 0), (382, 0), (500, 216), (100, 216)], p.paper)
    b.oval(300, 216, 400, 60, p.soft)
    b.box(190, 192, 220, 34, p.main, round_by=6)
    b.box(190, 192, 220, 12, p.mid, round_by=6)
    b.box(256, 84, 88, 108, p.glow, round_by=12)
    b.box(256, 124, 88, 40, p.paper)
    b.box(274, 136, 52, 6, p.main, round_by=3)
    b.box(284, 148, 32, 5, p.soft, round_by=2)
    b.box(274, 66, 52, 22, p.deep, round_by=6)
    for x, y, size in ((196, 92, 22), (420, 70, 28), (446, 138, 14), (160, 148, 14)):
        b.star(x, y, size, p.glow_soft)


def _price_tag(b: Board, p: Palette) -> None:
    for x, y, size, tone in (
        (90, 66, 90, p.soft), (520, 200, 150, p.soft), (474, 54, 40, p.glow_soft), (140, 210, 30, p.glow_soft),
    ):  # fmt: skip
        b.oval(x, y, size, size, tone)
    b.line([(248, 92), (196, 54), (168, 20), (176, 0)], p.mid, 4)
    b.shape([(226, 118), (268, 64), (420, 88), (452, 116), (436, 202), (404, 226), (252, 202)], p.main)
    b.shape([(226, 118), (268, 64), (290, 68), (252, 202)], p.deep)
    b.oval(262, 108, 22, 22, p.pale)
    b.oval(324, 124, 34, 34, p.paper)
    b.oval(324, 124, 14, 14, p.main)
    b.oval(386, 176, 34, 34, p.paper)
    b.oval(386, 176, 14, 14, p.main)
    b.line([(392, 116), (318, 186)], p.glow, 9)


def _calendar(b: Board, p: Palette) -> None:
    b.oval(300, 258, 520, 70, p.soft)
    b.box(196, 44, 208, 190, p.paper, round_by=14)
    b.box(196, 44, 208, 52, p.main, round_by=14)
    b.box(196, 76, 208, 20, p.main)
    for x in (244, 356):
        b.box(x - 6, 28, 12, 34, p.deep, round_by=6)
    for row in range(3):
        for column in range(4):
            is_day = (row, column) == (1, 2)
            tone = p.glow if is_day else p.pale
            b.box(216 + column * 44, 112 + row * 38, 34, 28, tone, round_by=6)
    b.star(321, 164, 20, p.paper)
    for x, y, size, tone in (
        (120, 100, 18, p.glow),
        (148, 164, 10, p.mid),
        (474, 88, 12, p.mid),
        (494, 158, 20, p.glow),
    ):
        b.oval(x, y, size, size, tone)


def _screen(b: Board, p: Palette) -> None:
    b.oval(300, 240, 560, 60, p.soft)
    b.box(168, 34, 264, 176, p.deep, round_by=14)
    b.box(180, 46, 240, 150, p.pale, round_by=6)
    b.oval(252, 112, 52, 52, p.mid)
    b.oval(252, 190, 104, 84, p.mid)
    b.box(180, 196, 240, 14, p.deep)
    b.box(318, 70, 84, 10, p.main, round_by=5)
    for row, width in enumerate((84, 84, 56)):
        b.box(318, 92 + row * 16, width, 6, p.soft, round_by=3)
    b.oval(300, 126, 62, 62, p.glow)
    b.shape([(290, 108), (290, 144), (322, 126)], p.paper)
    b.shape([(140, 210), (460, 210), (486, 232), (114, 232)], p.main)
    b.box(262, 210, 76, 8, p.mid, round_by=4)


def _bag(b: Board, p: Palette) -> None:
    b.oval(300, 240, 420, 44, p.soft)
    b.arc(300, 92, 76, 92, p.deep, 9)
    b.shape([(222, 90), (378, 90), (396, 236), (204, 236)], p.main)
    b.shape([(222, 90), (244, 90), (232, 236), (204, 236)], p.deep)
    b.oval(268, 112, 12, 12, p.deep)
    b.oval(334, 112, 12, 12, p.deep)
    b.line([(276, 174), (294, 192), (332, 150)], p.paper, 10)
    for x, y, width, height, tone in (
        (420, 178, 70, 58, p.glow),
        (432, 142, 46, 36, p.glow_soft),
        (118, 190, 66, 46, p.mid),
    ):
        b.box(x, y, width, height, tone, round_by=6)
    b.box(450, 178, 10, 58, p.paper)
    b.box(118, 208, 66, 8, p.paper)


def _door(b: Board, p: Palette) -> None:
    b.box(0, 212, 600, 48, p.soft)
    b.shape([(252, 212), (348, 212), (452, 260), (196, 260)], p.glow_soft)
    b.box(236, 40, 128, 174, p.deep, round_by=4)
    b.box(248, 52, 104, 162, p.glow)
    b.shape([(248, 52), (288, 66), (288, 226), (248, 214)], p.main)
    b.oval(279, 146, 8, 8, p.paper)
    for x, tone in ((140, p.mid), (460, p.mid)):
        b.box(x - 18, 184, 36, 34, p.main, round_by=5)
        b.oval(x - 14, 160, 22, 52, tone)
        b.oval(x + 14, 160, 22, 52, tone)
        b.oval(x, 148, 24, 68, p.main)
    b.box(276, 22, 48, 8, p.mid, round_by=4)


def _parcel(b: Board, p: Palette) -> None:
    for step in range(9):
        b.oval(78 + step * 17, 178 - 44 * (step / 8) ** 0.5, 6, 6, p.mid)
    b.oval(78, 132, 40, 40, p.main)
    b.shape([(60, 140), (96, 140), (78, 176)], p.main)
    b.oval(78, 132, 15, 15, p.paper)
    b.oval(360, 236, 330, 36, p.soft)
    b.box(270, 96, 180, 138, p.glow, round_by=6)
    b.box(270, 96, 180, 30, p.glow_soft, round_by=6)
    b.box(344, 96, 32, 138, p.paper)
    b.box(290, 188, 40, 28, p.paper, round_by=3)
    b.box(296, 196, 28, 4, p.mid, round_by=2)
    b.box(296, 204, 20, 4, p.mid, round_by=2)
    b.oval(450, 92, 60, 60, p.main)
    b.line([(436, 93), (446, 103), (465, 82)], p.paper, 6)


def _stars(b: Board, p: Palette) -> None:
    b.box(110, 48, 380, 124, p.paper, round_by=28)
    b.shape([(206, 166), (262, 166), (196, 214)], p.paper)
    for place in range(5):
        b.star(176 + place * 62, 112, 50, p.glow if place < 4 else p.glow_soft)
    b.box(388, 190, 122, 42, p.main, round_by=21)
    b.shape([(460, 226), (488, 226), (494, 248)], p.main)
    for place in range(3):
        b.oval(426 + place * 23, 211, 9, 9, p.paper)
    b.oval(70, 210, 44, 44, p.soft)
    b.oval(530, 60, 26, 26, p.soft)


def _megaphone(b: Board, p: Palette) -> None:
    b.oval(300, 132, 226, 226, p.soft)
    b.shape([(242, 112), (372, 52), (372, 204), (242, 156)], p.main)
    b.box(206, 106, 46, 56, p.deep, round_by=12)
    b.oval(372, 128, 40, 154, p.mid)
    b.oval(374, 128, 22, 112, p.deep)
    b.shape([(232, 160), (266, 166), (282, 222), (248, 222)], p.deep)
    for x, y, x2, y2 in ((420, 84, 462, 60), (430, 128, 480, 128), (420, 172, 462, 196)):
        b.line([(x, y), (x2, y2)], p.glow, 9)
    for x, y, size in ((132, 70, 14), (106, 150, 20), (150, 208, 10)):
        b.oval(x, y, size, size, p.glow_soft)


def _winter(b: Board, p: Palette) -> None:
    b.box(0, 0, 600, 260, p.deep)
    b.oval(470, 66, 62, 62, p.glow_soft)
    for x, y in ((60, 50), (130, 92), (206, 38), (268, 84), (330, 44), (392, 104), (540, 120), (90, 140), (560, 32)):
        b.oval(x, y, 6, 6, p.paper)
    b.hill(190, 12, 0.8, p.mid)
    for x, base, size, tone in (
        (150, 216, 108, p.main),
        (420, 212, 120, p.main),
        (218, 222, 76, p.soft),
        (358, 220, 66, p.soft),
    ):
        b.box(x - 5, base - 6, 10, 18, p.deep)
        for tier in range(3):
            top, reach = base - size + tier * size * 0.24, size * (0.2 + tier * 0.09)
            b.shape([(x, top), (x + reach, top + size * 0.46), (x - reach, top + size * 0.46)], tone)
    b.star(420, 92, 24, p.glow)
    b.hill(226, 10, 3.4, p.paper, waves=0.8)


def _gift(b: Board, p: Palette) -> None:
    b.oval(300, 236, 420, 44, p.soft)
    for x, size, tone in ((176, 84, p.mid), (424, 84, p.mid)):
        b.oval(x, 128, size * 0.62, size * 0.62, tone)
        b.oval(x, 204, size * 1.3, size, tone)
    b.box(120, 236, 360, 24, p.pale)
    b.oval(300, 236, 420, 20, p.soft)
    b.box(232, 126, 136, 110, p.main, round_by=6)
    b.box(222, 104, 156, 34, p.deep, round_by=6)
    b.box(286, 104, 28, 132, p.glow)
    b.oval(274, 86, 50, 36, p.glow)
    b.oval(326, 86, 50, 36, p.glow)
    b.oval(276, 88, 24, 15, p.pale)
    b.oval(324, 88, 24, 15, p.pale)
    b.oval(300, 96, 20, 20, p.glow)


def _mug(b: Board, p: Palette) -> None:
    b.oval(240, 276, 300, 44, p.soft)
    b.oval(322, 186, 92, 92, p.main)
    b.oval(322, 186, 50, 50, p.pale)
    b.box(152, 120, 168, 156, p.main, round_by=22)
    b.box(152, 120, 168, 30, p.main)
    b.oval(236, 122, 168, 36, p.deep)
    b.oval(236, 124, 144, 24, p.glow)
    for x in (206, 240, 274):
        b.line([(x, 92), (x + 7, 76), (x - 5, 58), (x + 3, 40)], p.mid, 6)


def _lamp(b: Board, p: Palette) -> None:
    b.shape([(170, 148), (310, 148), (392, 300), (88, 300)], p.glow_soft)
    b.oval(240, 296, 150, 30, p.deep)
    b.box(234, 140, 12, 152, p.deep)
    b.shape([(196, 56), (284, 56), (324, 152), (156, 152)], p.main)
    b.shape([(196, 56), (216, 56), (190, 152), (156, 152)], p.deep)


def _plant(b: Board, p: Palette) -> None:
    b.oval(240, 300, 260, 34, p.soft)
    b.line([(240, 216), (240, 96)], p.deep, 6)
    for x, y, width, height, tone in (
        (196, 150, 82, 50, p.main), (286, 132, 86, 52, p.mid), (206, 96, 66, 42, p.mid), (268, 78, 60, 40, p.main),
        (240, 52, 36, 56, p.main),
    ):  # fmt: skip
        b.oval(x, y, width, height, tone)
    b.shape([(176, 206), (304, 206), (286, 302), (194, 302)], p.glow)
    b.box(166, 194, 148, 26, p.glow, round_by=6)
    b.box(176, 220, 128, 8, p.glow_soft)


#: Name -> measures and painter.
PICTURES: dict[str, tuple[tuple[int, int], Callable[[Board, Palette], None]]] = {
    "hills": (_WIDE, _hills),
    "letter": (_WIDE, _letter),
    "spotlight": (_WIDE, _spotlight),
    "price-tag": (_WIDE, _price_tag),
    "calendar": (_WIDE, _calendar),
    "screen": (_WIDE, _screen),
    "bag": (_WIDE, _bag),
    "door": (_WIDE, _door),
    "parcel": (_WIDE, _parcel),
    "stars": (_WIDE, _stars),
    "megaphone": (_WIDE, _megaphone),
    "winter": (_WIDE, _winter),
    "gift": (_WIDE, _gift),
    "mug": (_CARD, _mug),
    "lamp": (_CARD, _lamp),
    "plant": (_CARD, _plant),
}


@lru_cache(maxsize=128)
def draw_picture(name: str, brand: Brand) -> bytes:
    """Return a scene as a PNG in a brand's colours.

    Raises:
        KeyError: there is no such scene.
    """
    (width, height), paint = PICTURES[name]
    palette = Palette.of(brand)
    board = Board(width, height, palette.pale)
    paint(board, palette)
    return board.png()
