"""Words and type for whatever carries text: the fonts of this machine, and words in the scripts that they hold.

Without fonts there is still the one that Pillow brings, for Latin words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from guardian.evaluation.pictures import Colour

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "C:/Windows/Fonts", "~/.fonts")
_MOST_FONTS = 60
_TRIED_AT = 24

_WORDS = {
    "english": "the secret of great summer travel never give up on small things new arrivals today only best offer "
    "seven ways to sleep better house river morning light we are what repeat quality work slow bread city market "
    "follow your own road nothing changes until you do free shipping spring sale open late music garden winter story",
    "german": "heute frisch gebacken die schönste zeit des jahres alles neu im Frühling Straße Grüße aus der Küche "
    "jetzt anmelden nur für kurze Zeit Schlüssel zum Glück Morgen Abend Wald Wasser über uns Öffnungszeiten",
    "french": "le plus beau voyage commence ici été à la mer soldes d'hiver garçon forêt cœur déjà vu maison ouverte "
    "recette du jour bientôt près de chez vous rêve nuit étoile jardin",
    "spanish": "mañana será otro día el camino niño corazón rebajas de verano aquí también sueño montaña música gratis "
    "hasta agotar existencias fútbol noche estrella casa abierta",
    "polish": "wszystko będzie dobrze źródło życia nowa książka święta zima śnieg łąka promocja tylko dziś dom ogród",
    "russian": "новый день начинается здесь лучшее предложение зима лето дорога домой счастье рядом скидки только "
    "сегодня город музыка книга история вечер свет открыто",
    "greek": "η ζωή είναι ωραία νέα προσφορά μόνο σήμερα θάλασσα καλοκαίρι σπίτι μουσική δρόμος φως καρδιά βιβλίο πόλη",
    "hebrew": "שלום עולם יום חדש מתחיל כאן ספר מוזיקה בית ים קיץ מבצע רק היום לב אור דרך עיר",
    "arabic": "مرحبا بالعالم يوم جديد يبدأ هنا كتاب موسيقى بيت بحر صيف عرض اليوم فقط قلب نور طريق مدينة",
    "hindi": "नया दिन यहाँ शुरू होता है किताब संगीत घर सागर गर्मी आज केवल दिल प्रकाश रास्ता शहर",
    "japanese": "新しい 一日が ここから 始まる 本日 限り 音楽 家 海 夏 冬 心 光 道 街 無料 おすすめ",
    "chinese": "新的 一天 从这里 开始 今日 特价 音乐 家 海 夏天 冬天 心 光 道路 城市 免费 推荐",
    "korean": "새로운 하루가 여기서 시작됩니다 오늘만 음악 집 바다 여름 겨울 마음 빛 길 도시 무료 추천",
}
_OFTEN = ("english", "german", "french", "spanish")


@dataclass(frozen=True, slots=True)
class Lettering:
    """One font and one language that it can write. `file` is None for the font that Pillow brings."""

    file: str | None
    language: str

    def font(self, pixels: float) -> Font:
        """Return the font at a size in pixels, at least eight."""
        return _font(self.file, max(8, int(pixels)))

    def words(self, generator: np.random.Generator, least: int, most: int) -> str:
        """Return between `least` and `most` - 1 words, sometimes in capitals."""
        chosen = " ".join(generator.choice(_WORDS[self.language].split(), int(generator.integers(least, most))))
        return chosen.upper() if generator.random() < 0.2 else chosen

    def lines(self, generator: np.random.Generator, count: int, least: int, most: int) -> str:
        """Return lines of words with line breaks between them."""
        return "\n".join(self.words(generator, least, most) for _ in range(count))


def any_lettering(generator: np.random.Generator) -> Lettering:
    """Draw a font of this machine and a language that it can write; Pillow's own font once in six times."""
    files = font_files()
    if not files or generator.random() < 1 / 6:
        # Pillow's own font has no accents.
        return Lettering(None, "english")
    file = files[int(generator.integers(0, len(files)))]
    languages = _languages(file)
    often = [language for language in _OFTEN if language in languages]
    if generator.random() < 0.6 and often:
        return Lettering(file, str(generator.choice(often)))
    return Lettering(file, str(generator.choice(languages)))


@lru_cache(maxsize=1)
def font_files() -> tuple[str, ...]:
    """Return the files of fonts that can write, sorted by name; at most sixty, spread over what is there."""
    found = sorted(
        str(path)
        for folder in _FOLDERS
        for path in Path(folder).expanduser().rglob("*")
        if path.suffix.lower() in (".ttf", ".otf", ".ttc")
    )
    usable = [file for file in found[:: max(1, len(found) // _MOST_FONTS)] if _languages(file)]
    return tuple(usable[:_MOST_FONTS])


@lru_cache(maxsize=256)
def _languages(file: str) -> tuple[str, ...]:
    """Return the languages whose words the font has all letters for; none for fonts of symbols and broken files."""
    try:
        font = ImageFont.truetype(file, _TRIED_AT)
        missing = {bytes(font.getmask(unassigned)) for unassigned in ("\U0010fffe", "\u0378")}
        return tuple(
            language
            for language, words in _WORDS.items()
            if not any(bytes(font.getmask(letter)) in missing for letter in set(words) - {" "})
        )
    except OSError:
        return ()


@lru_cache(maxsize=512)
def _font(file: str | None, pixels: int) -> Font:
    return ImageFont.load_default(pixels) if file is None else ImageFont.truetype(file, pixels)


def fitting(lettering: Lettering, text: str, width: float, height: float) -> tuple[Font, tuple[int, int]]:
    """Return the largest font at which the text fits into a box, and the size that it takes, in pixels."""
    size = max(8.0, height)
    for _ in range(4):
        font = lettering.font(size)
        box = measured(text, font)
        factor = min(width / max(1, box[0]), height / max(1, box[1]))
        if factor >= 1 or size <= 8:
            break
        size = max(8.0, size * factor)
    return font, box


def measured(text: str, font: Font) -> tuple[int, int]:
    """Return the width and height of a text of one or more lines, in pixels."""
    left, top, right, bottom = _RULER.multiline_textbbox((0, 0), text, font=font)
    return int(right - left), int(bottom - top)


def written(
    draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], text: str, lettering: Lettering, ink: Colour
) -> None:
    """Write a text as large as fits into the middle of a box (left, top, right, bottom)."""
    left, top, right, bottom = box
    font, _ = fitting(lettering, text, right - left, bottom - top)
    draw.multiline_text(
        ((left + right) / 2, (top + bottom) / 2), text, fill=ink, font=font, anchor="mm", align="center"
    )


def paragraphs(generator: np.random.Generator, lettering: Lettering, letters: int, count: int) -> Sequence[str]:
    """Return so many lines of running text, each of about so many letters."""
    lines = []
    for _ in range(count):
        line = lettering.words(generator, 2, 4)
        while len(line) < letters:
            line += " " + lettering.words(generator, 1, 4)
        lines.append(line[:letters])
    return lines


_RULER = ImageDraw.Draw(Image.new("L", (1, 1)))
