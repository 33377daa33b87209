"""A colour emoji font gives the pictures of its smileys; what is no such font, or a damaged one, is refused."""

import unicodedata

import cv2
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib import newTable
from fontTools.ttLib.tables.BitmapGlyphMetrics import SmallGlyphMetrics
from fontTools.ttLib.tables.C_B_D_T_ import cbdt_bitmap_format_17
from fontTools.ttLib.tables._g_l_y_f import Glyph as Outline
from fontTools.ttLib.tables.E_B_L_C_ import SbitLineMetrics, Strike, eblc_index_sub_table_1
from fontTools.ttLib.tables.sbixGlyph import Glyph
from fontTools.ttLib.tables.sbixStrike import Strike as SbixStrike
from made_up import PACKINGS, cut, pack

from data import sources
from data.sources.emoji_font import SMILEYS
from data.sources.source_error import SourceError

CODES = {"grin": 0x1F600, "frown": 0x2639, "heart": 0x2764}


def picture(side, colour, alpha=255):
    return cv2.imencode(".png", np.full((side, side, 4), (*colour[::-1], alpha), np.uint8))[1].tobytes()


def builder():
    """A font of three glyphs without pictures."""
    font = FontBuilder(1024, isTTF=True)
    order = [".notdef", *CODES]
    font.setupGlyphOrder(order)
    font.setupCharacterMap({code: name for name, code in CODES.items()})
    font.setupGlyf({name: Outline() for name in order})
    font.setupHorizontalMetrics({name: (1024, 0) for name in order})
    font.setupHorizontalHeader()
    font.setupPost()
    return font


def with_cbdt(path, strikes):
    """Saves a font with `strikes`: {size: {glyph: file of its picture}}."""
    font = builder()
    locations, bitmaps = newTable("CBLC"), newTable("CBDT")
    locations.version = bitmaps.version = 3.0
    locations.strikes, bitmaps.strikeData = [], []
    for size, pictures in strikes.items():
        glyphs = {}
        for name, data in pictures.items():
            glyph = cbdt_bitmap_format_17(b"", font.font)
            del glyph.data
            glyph.metrics, glyph.imageData = SmallGlyphMetrics(), data
            vars(glyph.metrics).update(height=size, width=size, BearingX=0, BearingY=size, Advance=size)
            glyphs[name] = glyph
        strike = Strike()
        line = {"ascender": size, "descender": 0, "widthMax": size} | dict.fromkeys(
            ("caretSlopeNumerator", "caretSlopeDenominator", "caretOffset", "minOriginSB", "minAdvanceSB",
             "maxBeforeBL", "minAfterBL", "pad1", "pad2"), 0)
        strike.bitmapSizeTable.hori, strike.bitmapSizeTable.vert = SbitLineMetrics(), SbitLineMetrics()
        vars(strike.bitmapSizeTable.hori).update(line)
        vars(strike.bitmapSizeTable.vert).update(line)
        vars(strike.bitmapSizeTable).update(colorRef=0, ppemX=size, ppemY=size, bitDepth=32, flags=1)
        index = eblc_index_sub_table_1(b"", font.font)
        index.indexFormat, index.imageFormat, index.imageDataOffset, index.names = 1, 17, 0, list(glyphs)
        strike.indexSubTables = [index]
        locations.strikes.append(strike)
        bitmaps.strikeData.append(glyphs)
    font.font["CBLC"], font.font["CBDT"] = locations, bitmaps
    font.save(path)
    return path


def with_sbix(path, glyphs):
    font = builder()
    table, strike = newTable("sbix"), SbixStrike(ppem=20, resolution=72)
    strike.glyphs = {glyph.glyphName: glyph for glyph in glyphs}
    table.strikes = {20: strike}
    font.font["sbix"] = table
    font.save(path)
    return path


@pytest.fixture
def font(tmp_path):
    pictures = {"grin": picture(40, (10, 20, 30)), "frown": picture(40, (200, 0, 0), alpha=0),
                "heart": picture(40, (1, 2, 3))}
    small = {name: picture(20, (99, 99, 99)) for name in pictures}
    (tmp_path / "font").mkdir()
    return with_cbdt(tmp_path / "font" / "Emoji.ttf", {20: small, 40: pictures})


def damage(path, find, put):
    data = path.read_bytes()
    assert data.count(find) == 1
    path.write_bytes(data.replace(find, put))


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_largest_smileys_over_white_and_nothing_else(font, packing):
    (frown, first), (grin, second) = sources.read("emoji_font", pack(font.parent, packing))
    assert first == {"source": "emoji_font", "origin": "Emoji.ttf:U+2639"}
    assert second == {"source": "emoji_font", "origin": "Emoji.ttf:U+1F600"}
    assert grin.shape == (40, 40, 3) and (grin == (10, 20, 30)).all()
    assert (frown == 255).all()


def test_a_single_file_may_have_any_name(font):
    renamed = font.rename(font.with_name("emoji"))
    assert len(list(sources.read("emoji_font", renamed))) == 2


def test_sbix_with_a_picture_shared_by_two_and_one_absent(tmp_path):
    png = picture(20, (7, 8, 9))
    path = with_sbix(tmp_path / "a.ttf", [Glyph(".notdef"), Glyph("grin", graphicType="png ", imageData=png),
                                          Glyph("frown", graphicType="dupe", referenceGlyphName="grin"),
                                          Glyph("heart")])
    pictures = {row["origin"]: image for image, row in sources.read("emoji_font", path)}
    assert pictures.keys() == {"a.ttf:U+1F600", "a.ttf:U+2639"}
    assert all(image.shape == (20, 20, 3) and (image == (7, 8, 9)).all() for image in pictures.values())
    with_sbix(path, [Glyph("grin", graphicType="jpg ", imageData=b"\xff\xd8"), Glyph("frown"), Glyph("heart")])
    with pytest.raises(SourceError, match=r"a.ttf:U\+1F600: not a PNG"):
        list(sources.read("emoji_font", path))


@pytest.mark.parametrize("kept", [0.999, 0.7, 0.3, 0.05, 0.001])
def test_a_font_cut_short_is_named(font, kept):
    with pytest.raises(SourceError, match="Emoji.ttf: not a font, damaged or cut short.*download it again"):
        next(sources.read("emoji_font", cut(font, kept)))


def test_the_end_of_the_last_table_is_missed_though_it_is_not_needed(font):
    whole = font.read_bytes()
    needed = max(whole.rindex(b"IEND"), whole.rindex(b"grin"))
    assert needed < len(whole) - 16, "another table comes last"
    font.write_bytes(whole[:-8])
    with pytest.raises(SourceError, match="Emoji.ttf: not a font, damaged or cut short"):
        next(sources.read("emoji_font", font))


def test_a_changed_byte_is_found_by_the_checksum_of_its_table(font):
    data = bytearray(font.read_bytes())
    at = data.rindex(b"IHDR")
    data[at + 20] ^= 1
    font.write_bytes(data)
    with pytest.raises(SourceError, match="Emoji.ttf: not a font, damaged"):
        next(sources.read("emoji_font", font))


@pytest.mark.parametrize("content", [b"", b"<html>Sign in to download</html>", picture(8, (1, 2, 3)),
                                     b"\0\1\0\0\0\1", b"wOF2" + bytes(40), b"ttcf\0\1\0\0\0\0\0\1"])
def test_what_is_no_font_is_named(tmp_path, content):
    (tmp_path / "a.ttf").write_bytes(content)
    with pytest.raises(SourceError, match="a.ttf: not a font"):
        next(sources.read("emoji_font", tmp_path / "a.ttf"))


def test_fonts_without_pictures_or_without_smileys_say_which_to_take(font, tmp_path):
    plain = tmp_path / "plain.ttf"
    builder().save(plain)
    with pytest.raises(SourceError, match="plain.ttf: the font has no pictures in colour.*COLR.*NotoColorEmoji.ttf"):
        next(sources.read("emoji_font", plain))
    with_cbdt(font, {20: {"heart": picture(20, (1, 2, 3))}})
    with pytest.raises(SourceError, match="Emoji.ttf: no smiley"):
        next(sources.read("emoji_font", font))


def test_a_broken_picture_in_a_whole_font_is_named_by_its_code_point(font):
    with_cbdt(font, {20: {"grin": picture(20, (1, 2, 3))[:-12]}})
    with pytest.raises(SourceError, match=r"Emoji.ttf:U\+1F600: the picture is cut short"):
        next(sources.read("emoji_font", font))


def test_no_font_or_two_are_named(font):
    font.with_name("Other.otf").write_bytes(b"")
    with pytest.raises(SourceError, match="font: expected one font in it, found Emoji.ttf, Other.otf"):
        next(sources.read("emoji_font", font.parent))
    font.unlink()
    font.with_name("Other.otf").unlink()
    with pytest.raises(SourceError, match="expected one font in it, found none.*github.com/googlefonts"):
        next(sources.read("emoji_font", font.parent))


def test_smileys_are_one_face_each():
    names = {code: unicodedata.name(chr(code), "") for code in SMILEYS}  # "" where Python's Unicode is older
    assert len(names) == len(SMILEYS) == len(set(SMILEYS)) and 0x1F600 in names
    other = [name for name in names.values() if name and "FACE" not in name]
    assert other == ["ROLLING ON THE FLOOR LAUGHING"] and not any("CAT" in name.split() for name in names.values())
