"""All pages on one sheet for each width, theme and language, to look at side by side."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

THUMB = {320: 160, 390: 195, 1280: 320}
COLUMNS = {320: 12, 390: 10, 1280: 6}
TALLEST_THUMB = 900
ON_ONE_SHEET = 60
MARGIN, TITLE = 12, 16


def thumbnail(picture: Image.Image, width: int) -> Image.Image:
    high = round(picture.height * THUMB[width] / picture.width)
    return picture.resize((THUMB[width], high), Image.Resampling.BOX).crop((0, 0, THUMB[width], min(high, TALLEST_THUMB)))


def write(shots: Sequence[tuple[str, Image.Image]], width: int, name: str, folder: Path) -> list[Path]:
    """`shots`: (what it is, thumbnail). More than fit on one sheet go to the next."""
    folder.mkdir(parents=True, exist_ok=True)
    sheets = [shots[first : first + ON_ONE_SHEET] for first in range(0, len(shots), ON_ONE_SHEET)]
    files = [folder / f"{name}-{number}.png" for number in range(1, len(sheets) + 1)]
    for file, some in zip(files, sheets, strict=True):
        _sheet(some, width).save(file)
    return files


def _sheet(shots: Sequence[tuple[str, Image.Image]], width: int) -> Image.Image:
    rows = [shots[first : first + COLUMNS[width]] for first in range(0, len(shots), COLUMNS[width])]
    heights = [max(thumb.height for _, thumb in row) + TITLE + MARGIN for row in rows]
    sheet = Image.new("RGB", (COLUMNS[width] * (THUMB[width] + MARGIN) + MARGIN, sum(heights) + MARGIN), "#8a8a8a")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    top = MARGIN
    for row, height in zip(rows, heights, strict=True):
        for column, (what, thumb) in enumerate(row):
            left = MARGIN + column * (THUMB[width] + MARGIN)
            draw.text((left, top), what[: THUMB[width] // 6], "white", font)
            sheet.paste(thumb, (left, top + TITLE))
        top += height
    return sheet
