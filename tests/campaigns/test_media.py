"""Pictures: what is taken, what is stored of it, who sees it, and when it may go."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.models import Workspace
from campaigns.content import pictures
from campaigns.content.pictures import read_picture
from campaigns.models import Asset
from campaigns.services import assets, templates
from pulsequill.core.errors import Invalid
from tests.campaigns.making import make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db

SCRIPT = b"<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def drawn(image_format: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 128 if mode == "L" else (200, 80, 40)[: len(mode)] + (90,) * (len(mode) == 4)).save(
        out, image_format, **options
    )
    return out.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that claims many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def add(workspace: Workspace, content: bytes | None = None, name: str = "beans.png") -> Asset:
    return assets.add_asset(workspace=workspace, actor=None, file=io.BytesIO(content or drawn()), name=name)[0]


class Team:
    """A workspace and somebody of it."""

    def __init__(self, role: str = "editor") -> None:
        self.workspace = make_workspace()
        self.client = Client()
        self.client.force_login(make_member(self.workspace, role))

    def upload(self, content: bytes, name: str = "beans.png", path: str = "/v1/assets", **more: Any) -> Any:
        headers = more.pop("headers", {})
        return self.client.post(path, {"file": SimpleUploadedFile(name, content), **more}, headers=headers)


# --- what is taken ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("image_format", "mode", "content_type"),
    [
        ("PNG", "RGBA", "image/png"),
        ("PNG", "L", "image/png"),
        ("JPEG", "RGB", "image/jpeg"),
        ("JPEG", "CMYK", "image/jpeg"),
        ("GIF", "RGB", "image/gif"),
        ("WEBP", "RGBA", "image/webp"),
    ],
)
def test_it_takes_the_four_formats_and_keeps_them(image_format: str, mode: str, content_type: str) -> None:
    picture = read_picture(io.BytesIO(drawn(image_format, mode=mode)))
    assert (picture.content_type, picture.width, picture.height) == (content_type, 40, 30)
    again = Image.open(io.BytesIO(picture.content))
    again.load()
    assert again.format == image_format


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.4",
        b"GIF89a",
        b"",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
        drawn("BMP"),
        drawn("TIFF"),
        drawn()[:60],
        drawn("JPEG")[:200],
    ],
    ids=["svg", "pdf", "gif-head", "empty", "png-head", "bmp", "tiff", "cut-png", "cut-jpeg"],
)
def test_everything_else_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        read_picture(io.BytesIO(content))
    assert refused.value.code in ("unsupported_picture", "broken_picture")


@pytest.mark.parametrize(("width", "height"), [(5001, 5000), (30_000, 30_000), (65_535, 65_535)])
def test_pixels_are_counted_before_any_is_decoded(width: int, height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(_self: Any) -> None:
        pytest.fail("the picture was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    with pytest.raises(Invalid) as refused:
        read_picture(io.BytesIO(huge_png(width, height)))
    assert refused.value.code == "too_many_pixels"


def test_the_frames_of_an_animation_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [Image.new("RGB", (100, 100), (index, 0, 0)) for index in range(20)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=40, loop=0)
    picture = read_picture(io.BytesIO(out.getvalue()))
    stored: Any = Image.open(io.BytesIO(picture.content))
    assert (stored.n_frames, stored.info["duration"], stored.info["loop"]) == (20, 40, 0)

    monkeypatch.setattr(pictures, "MAX_PIXELS", 199_999)
    with pytest.raises(Invalid) as refused:
        read_picture(io.BytesIO(out.getvalue()))
    assert refused.value.code == "too_many_pixels"


def test_nothing_but_pixels_is_kept() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "SecretCamera"
    for image_format in ("JPEG", "PNG", "WEBP"):
        content = drawn(image_format, exif=exif.tobytes()) + SCRIPT
        picture = read_picture(io.BytesIO(content))
        assert b"SecretCamera" not in picture.content
        assert SCRIPT not in picture.content
        assert not Image.open(io.BytesIO(picture.content)).getexif()
        assert (picture.width, picture.height) == (30, 40), "it stands upright without its metadata"
    commented = read_picture(io.BytesIO(drawn("GIF", comment=SCRIPT)))
    assert SCRIPT not in commented.content


# --- /v1/assets ------------------------------------------------------------------------------------------------------
def test_an_upload_answers_with_a_public_address(settings: Any) -> None:
    team = Team()
    answer = team.upload(drawn("JPEG"), name="..\\..\\C:\\holiday photo.png", alt="  Beans on\noak ")
    assert answer.status_code == 201, answer.content
    asset = answer.json()
    assert asset["url"] == f"{settings.PUBLIC_URL}/m/{asset['id']}.jpg"
    assert (asset["name"], asset["alt"], asset["content_type"]) == ("holiday photo.png", "Beans on oak", "image/jpeg")
    stored = Asset.objects.get()
    assert stored.file.name == f"assets/{team.workspace.pk}/{stored.pk}.jpg", "no part of the name is a path"
    assert team.client.get(answer["Location"]).json() == asset


def test_the_same_picture_is_stored_once_in_each_workspace() -> None:
    team, other = Team(), Team()
    first, again = (team.upload(content) for content in (drawn(), drawn() + SCRIPT))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert other.upload(drawn()).status_code == 201
    assert Asset.objects.across_workspaces().count() == 2


def test_an_upload_is_idempotent_by_its_key() -> None:
    team = Team()
    first, second = (team.upload(drawn(), headers={"Idempotency-Key": "logo"}) for _ in range(2))
    assert first.json() == second.json()
    assert second["Idempotency-Replayed"] == "true"
    assert team.upload(drawn("JPEG"), headers={"Idempotency-Key": "logo"}).status_code == 422


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"<svg/>", 400, "unsupported_picture"),
        (huge_png(9000, 9000), 400, "too_many_pixels"),
        (b"\0" * (pictures.MAX_BYTES + 1), 413, "too_large"),
    ],
    ids=["svg", "pixels", "bytes"],
)
def test_a_refused_upload_says_why_and_leaves_nothing(content: bytes, status: int, code: str, tmp_path: Path) -> None:
    answer = Team().upload(content)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Asset.objects.exists()
    assert not list(tmp_path.rglob("*.*"))


def test_pictures_of_a_workspace_have_a_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "QUOTA_BYTES", len(drawn()) + 10)
    team = Team()
    assert team.upload(drawn()).status_code == 201
    assert team.upload(drawn("JPEG")).json()["code"] == "quota"


def test_alt_can_be_changed_and_nothing_else() -> None:
    team = Team()
    asset = team.upload(drawn()).json()
    change = {"alt": "A logo", "name": "x", "url": "https://evil.example", "sha256": "0"}
    changed = team.client.patch(f"/v1/assets/{asset['id']}", change, content_type="application/json").json()
    assert changed == {**asset, "alt": "A logo", "updated_at": changed["updated_at"]}


@pytest.mark.parametrize("where", ["draft", "sent", "template", "brand"])
def test_a_picture_that_something_shows_is_kept(where: str) -> None:
    team = Team()
    asset = add(team.workspace)
    block = [{"type": "image", "src": asset.url, "alt": "Beans"}]
    match where:
        case "draft":
            make_campaign(team.workspace, variants=[{"label": "A", "body": block}])
        case "sent":
            make_campaign(team.workspace).variants.update(compiled_html=f'<img src="{asset.url}">')
        case "template":
            templates.create_template(workspace=team.workspace, actor=None, name="News", body=block)
        case "brand":
            team.workspace.brand = {"logo_url": asset.url}
            team.workspace.save()
    answer = team.client.delete(f"/v1/assets/{asset.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert default_storage.exists(str(asset.file.name))


@pytest.mark.django_db(transaction=True)
def test_a_picture_that_nothing_shows_goes_with_its_file() -> None:
    team = Team()
    asset = add(team.workspace)
    assert team.client.delete(f"/v1/assets/{asset.pk}").status_code == 204
    assert not default_storage.exists(str(asset.file.name))
    assert Client().get(asset.path).status_code == 404


def test_other_workspaces_and_analysts_are_kept_out() -> None:
    asset = add(make_workspace())
    stranger, analyst = Team(), Team("analyst")
    for verb in ("get", "patch", "delete"):
        assert getattr(stranger.client, verb)(f"/v1/assets/{asset.pk}").status_code == 404
    assert stranger.client.get("/v1/assets").json()["results"] == []
    assert analyst.upload(drawn()).status_code == 403
    assert analyst.client.get("/v1/assets").status_code == 200
    assert analyst.upload(drawn(), path="/media").status_code == 403


# --- the public address ----------------------------------------------------------------------------------------------
def test_mail_programs_get_the_bytes_without_cookies_and_keep_them() -> None:
    asset = add(make_workspace(), drawn("WEBP"))
    answer: Any = Client().get(asset.path)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == asset.file.open("rb").read()
    assert answer["Content-Type"] == "image/webp"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")
    assert Client().get(asset.path, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert Client().head(asset.path).status_code == 200


def test_an_address_that_was_made_up_is_404() -> None:
    asset = add(make_workspace())
    for path in (f"/m/{uuid4()}.png", f"/m/{asset.pk}.jpg", f"/m/{asset.pk}", f"/m/{asset.pk}.png.html"):
        assert Client().get(path).status_code == 404
    default_storage.delete(str(asset.file.name))
    assert Client().get(asset.path).status_code == 404


# --- the page --------------------------------------------------------------------------------------------------------
def test_the_page_uploads_describes_and_deletes_without_scripts() -> None:
    team = Team()
    assert "No pictures yet" in team.client.get("/media").content.decode()
    assert "Uploaded." in team.client.get(team.upload(drawn(), path="/media").url).content.decode()
    asset = Asset.objects.get()
    team.client.post(f"/media/{asset.pk}/describe", {"alt": "A logo"})
    page = team.client.get("/media").content.decode()
    assert 'value="A logo"' in page
    assert asset.url in page
    team.client.post(f"/media/{asset.pk}/delete")
    assert not Asset.objects.exists()


def test_the_page_tells_a_script_why_a_picture_was_refused() -> None:
    answer = Team().upload(b"nothing", path="/media", headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert "PNG" in answer.json()["detail"]


def test_the_page_says_where_a_picture_is_shown() -> None:
    team = Team()
    asset = add(team.workspace)
    make_campaign(
        team.workspace, name="Harvest", variants=[{"label": "A", "body": [{"type": "image", "src": asset.url}]}]
    )
    answer: Any = team.client.post(f"/media/{asset.pk}/delete")
    told = team.client.get(answer.url).content.decode()
    assert "“Harvest”" in told
    assert Asset.objects.exists()
