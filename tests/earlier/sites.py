"""What the loopback sites show, first and later. Every host is an operator of its own."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageOps
from skimage import data

from tests.earlier.stage import Web

HOSTS = tuple(f"127.0.0.{number}" for number in range(1, 8))
BLOG, PARTNER, MAGAZINE, FILES, ARCHIVE, SHOP, LIBRARY = HOSTS
PAGES = 24
"""Of a site whose crawl is cut off."""

_SIDE = 480


def show_as_left(web: Web, version: str) -> None:
    """Put up all sites as a version saw them last."""
    show_first(web)
    show_changed(web)
    show_signed_anew(web)
    if version == "0002":
        show_shop_changed(web)


def show_first(web: Web) -> None:
    """Put up all sites, as they are when they are first met."""
    topics = ("astronaut", "coffee", "cat", "rocket", "coins", "camera")
    web.page(BLOG, "/", links=[f"/{name}.html" for name in (*topics, "more")])
    web.page(BLOG, "/more.html")
    web.page(BLOG, "/astronaut.html", "/img/astronaut.jpg")
    web.page(BLOG, "/coffee.html", "/img/coffee.jpg", "/cdn-cgi/image/width=240,quality=80/img/coffee.jpg")
    web.page(BLOG, "/cat.html", "/img/cat-p-500.jpg")
    web.page(BLOG, "/rocket.html", "/content/images/size/w300/rocket.jpg")
    web.page(BLOG, "/coins.html", _signed(web, "a1a1"))
    web.page(BLOG, "/camera.html", "/img/camera.jpg")
    for name in topics:
        web.picture(BLOG, f"/img/{name}.jpg", copy(name, 320))
    web.picture(BLOG, "/cdn-cgi/image/width=240,quality=80/img/coffee.jpg", copy("coffee", 240))
    web.picture(BLOG, "/img/cat-p-500.jpg", copy("cat", 260))
    web.picture(BLOG, "/content/images/size/w300/rocket.jpg", copy("rocket", 300))
    web.picture(BLOG, "/content/images/rocket.jpg", copy("rocket", 340))
    web.picture(BLOG, "/img/other/camera.jpg", copy("camera", 320))
    for signature in ("a1a1", "b2b2", "c3c3"):
        web.picture(BLOG, _signed(web, signature), copy("coins", 300))

    web.page(PARTNER, "/partner.html", "/img/coffee-p-500.jpg", "/img/astronaut.jpg")
    web.picture(PARTNER, "/img/coffee-p-500.jpg", copy("coffee", 260))
    web.picture(PARTNER, "/img/coffee.jpg", copy("coffee", 320))
    web.picture(PARTNER, "/img/astronaut.jpg", copy("astronaut", 320))
    web.page(MAGAZINE, "/magazine.html", "/img/rocket.jpg")
    web.picture(MAGAZINE, "/img/rocket.jpg", copy("rocket", 320))
    web.picture(FILES, "/img/astronaut.jpg", copy("astronaut", 320))
    web.picture(FILES, "/img/rocket-p-500.jpg", copy("rocket", 260))
    web.picture(FILES, "/img/rocket.jpg", copy("rocket", 320))

    for host, name in ((ARCHIVE, "astronaut"), (LIBRARY, "cat")):
        web.page(host, "/", "/img/own.jpg", links=[f"/page-{number}.html" for number in range(PAGES)])
        web.picture(host, "/img/own.jpg", copy(name, 320))
        for number in range(PAGES):
            web.page(host, f"/page-{number}.html", f"/img/strange-{number}.jpg")
            web.picture(host, f"/img/strange-{number}.jpg", copy("grass", 100 + number))

    web.page(
        SHOP,
        "/shop.html",
        "/img/coffee.jpg",
        "/img/coffee-p-500.jpg",
        "/image/upload/c_fill,w_300/v1/camera.jpg",
        "/img/page.jpg",
    )
    for path, name in (
        ("/img/coffee.jpg", "coffee"),
        ("/img/coffee-p-500.jpg", "coffee"),
        ("/img/page.jpg", "page"),
    ):
        web.picture(SHOP, path, copy(name, 320))
    for path in ("/image/upload/c_fill,w_300/v1/camera.jpg", "/image/upload/camera.jpg"):
        web.picture(SHOP, path, copy("camera", 300))


def show_changed(web: Web) -> None:
    """Change what the sites show, after people have decided about the first cases."""
    web.picture(BLOG, "/img/coffee.jpg", copy("coffee", 330))
    web.page(BLOG, "/cat.html", "/img/cat.jpg")
    web.page(BLOG, "/rocket.html", "/content/images/rocket.jpg")
    web.page(BLOG, "/coins.html", _signed(web, "b2b2"))
    web.page(BLOG, "/more.html", "/img/other/camera.jpg")
    web.page(PARTNER, "/partner.html", "/img/coffee.jpg", "/img/astronaut.jpg")


def show_signed_anew(web: Web) -> None:
    """Sign the coins' address once more."""
    web.page(BLOG, "/coins.html", _signed(web, "c3c3"))


def show_shop_changed(web: Web) -> None:
    """Show other renditions in the shop, and one picture more."""
    web.page(SHOP, "/shop.html", "/img/coffee.jpg.webp", "/image/upload/camera.jpg", "/studio/portrait.jpg")
    web.picture(SHOP, "/img/coffee.jpg.webp", copy("coffee", 310))
    web.picture(SHOP, "/studio/portrait.jpg", copy("camera", 330))


def _signed(web: Web, signature: str) -> str:
    """Return the coins' address at a proxy that signs what it renders."""
    return f"/proxy?url={web.url(BLOG, '/img/coins.jpg')}&hash={signature}"


@lru_cache(maxsize=8)
def photograph(name: str) -> Image.Image:
    """Return a photograph of scikit-image, no side longer than 480 pixels. It is shared: do not change it."""
    image = Image.fromarray(np.asarray(getattr(data, name)())).convert("RGB")
    image.thumbnail((_SIDE, _SIDE))
    return image


def jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def copy(name: str, width: int) -> bytes:
    """Return a mirrored copy, cut at the right and below, as sites make them."""
    image = photograph(name)
    image = ImageOps.mirror(image.crop((0, 0, round(image.width * 0.9), round(image.height * 0.9))))
    return jpeg(image.resize((width, round(width * image.height / image.width))), 65)
