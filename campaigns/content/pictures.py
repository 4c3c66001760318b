"""Uploaded pictures, decoded and written anew: what is served is made of pixels and nothing else.

A file that claims to be a picture may hold scripts after its end, the place where a photo was taken, or a bomb of a
few kilobytes that unpacks to gigabytes. So the format comes from the bytes, the pixels are counted before any is
decoded, and the stored file is a new one without metadata.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from PIL import Image, ImageCms, ImageOps, ImageSequence

from pulsequill.core.errors import FieldError, Invalid

MAX_BYTES = 10 * 1024 * 1024
#: Width times height times frames. Pillow itself would only warn from 90 million on.
MAX_PIXELS = 25_000_000
FRAME_MS = 100


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is stored."""

    content: bytes
    content_type: str
    extension: str
    width: int
    height: int
    sha256: str


def read_picture(file: IO[bytes]) -> Picture:
    """Return an uploaded picture, decoded and encoded again in its own format.

    Args:
        file: the upload, at its start.

    Raises:
        Invalid: `too_large`, `unsupported_picture` (PNG, JPEG, GIF and WebP are), `too_many_pixels`, or
            `broken_picture`.
    """
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise refusal("too_large", f"The picture is larger than {MAX_BYTES // 1024**2} MB.")
    try:
        image = Image.open(io.BytesIO(content), formats=list(_OPENED))
        extension = _EXTENSIONS[str(image.format)]
        frames = int(getattr(image, "n_frames", 1)) if extension in _ANIMATED else 1
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except Exception as error:  # decoders given hostile bytes raise whatever they stumble over
        raise refusal("unsupported_picture", "Only PNG, JPEG, GIF and WebP pictures are taken.") from error
    if image.width * image.height * frames > MAX_PIXELS:
        raise _too_many_pixels()
    try:
        out, size = _ENCODERS[extension](image, frames)
    except Exception as error:  # as above
        raise refusal("broken_picture", "The picture is damaged and cannot be read.") from error
    return Picture(
        content=out,
        content_type=CONTENT_TYPES[extension],
        extension=extension,
        width=size[0],
        height=size[1],
        sha256=hashlib.sha256(out).hexdigest(),
    )


def refusal(code: str, detail: str) -> Invalid:
    """Return what is raised about an upload's file."""
    return Invalid(detail, code=code, errors=[FieldError("file", code, detail)])


def _too_many_pixels() -> Invalid:
    return refusal("too_many_pixels", f"The picture has more than {MAX_PIXELS // 10**6} million pixels.")


def _bare(image: Image.Image) -> Image.Image:
    """Return the pixels, upright and in sRGB, with nothing that came along in the file."""
    profile = image.info.get("icc_profile")
    upright: Image.Image = ImageOps.exif_transpose(image)
    if profile and upright.mode in ("RGB", "RGBA"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(upright, source, ImageCms.createProfile("sRGB"))
            upright = converted or upright
        except (ImageCms.PyCMSError, OSError):
            pass  # a profile that cannot be read changes no pixel
    upright = upright.copy()
    transparency = upright.info.get("transparency")
    upright.info = {} if transparency is None else {"transparency": transparency}
    return upright


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.mode or "transparency" in image.info


def _written(image: Image.Image, image_format: str, **options: Any) -> tuple[bytes, tuple[int, int]]:
    out = io.BytesIO()
    image.save(out, image_format, **options)
    return out.getvalue(), image.size


def _jpeg(image: Image.Image, _frames: int) -> tuple[bytes, tuple[int, int]]:
    bare = _bare(image)
    return _written(
        bare if bare.mode in ("L", "RGB") else bare.convert("RGB"), "JPEG", quality=88, optimize=True, progressive=True
    )


def _png(image: Image.Image, _frames: int) -> tuple[bytes, tuple[int, int]]:
    return _written(_bare(image), "PNG")


def _gif(image: Image.Image, frames: int) -> tuple[bytes, tuple[int, int]]:
    return _written(_bare(image), "GIF") if frames == 1 else _animation(image, "GIF", disposal=2)


def _webp(image: Image.Image, frames: int) -> tuple[bytes, tuple[int, int]]:
    if frames > 1:
        return _animation(image, "WEBP", quality=88)
    bare = _bare(image)
    return _written(bare.convert("RGBA" if _has_alpha(bare) else "RGB"), "WEBP", quality=88)


def _animation(image: Image.Image, image_format: str, **options: Any) -> tuple[bytes, tuple[int, int]]:
    pictures, durations = [], []
    for frame in ImageSequence.Iterator(image):
        durations.append(int(frame.info.get("duration") or FRAME_MS))
        picture = frame.convert("RGBA")
        picture.info = {}
        pictures.append(picture)
    if "loop" in image.info:
        options["loop"] = int(image.info["loop"])
    return _written(pictures[0], image_format, save_all=True, append_images=pictures[1:], duration=durations, **options)


#: What Pillow calls the formats that are taken; a JPEG with a second picture inside is an "MPO" to it.
_EXTENSIONS = {"PNG": "png", "JPEG": "jpg", "MPO": "jpg", "GIF": "gif", "WEBP": "webp"}
_OPENED = ("PNG", "JPEG", "GIF", "WEBP")
_ANIMATED = frozenset({"gif", "webp"})
_ENCODERS: dict[str, Callable[[Image.Image, int], tuple[bytes, tuple[int, int]]]] = {
    "png": _png,
    "jpg": _jpeg,
    "gif": _gif,
    "webp": _webp,
}
CONTENT_TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
