"""The three letters that a container's language field holds, of a BCP-47 tag. The tag itself goes into the title."""

import re

_PAIRS = """
    aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul bi:bis
    bm:bam bn:ben bo:bod br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:ces cu:chu cv:chv cy:cym da:dan de:deu
    dv:div dz:dzo ee:ewe el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas ff:ful fi:fin fj:fij fo:fao fr:fra fy:fry
    ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin ho:hmo hr:hrv ht:hat hu:hun hy:hye hz:her ia:ina
    id:ind ie:ile ig:ibo ii:iii ik:ipk io:ido is:isl it:ita iu:iku ja:jpn jv:jav ka:kat kg:kon ki:kik kj:kua kk:kaz
    kl:kal km:khm kn:kan ko:kor kr:kau ks:kas ku:kur kv:kom kw:cor ky:kir la:lat lb:ltz lg:lug li:lim ln:lin lo:lao
    lt:lit lu:lub lv:lav mg:mlg mh:mah mi:mri mk:mkd ml:mal mn:mon mr:mar ms:msa mt:mlt my:mya na:nau nb:nob nd:nde
    ne:nep ng:ndo nl:nld nn:nno no:nor nr:nbl nv:nav ny:nya oc:oci oj:oji om:orm or:ori os:oss pa:pan pi:pli pl:pol
    ps:pus pt:por qu:que rm:roh rn:run ro:ron ru:rus rw:kin sa:san sc:srd sd:snd se:sme sg:sag si:sin sk:slk sl:slv
    sm:smo sn:sna so:som sq:sqi sr:srp ss:ssw st:sot su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk
    tl:tgl tn:tsn to:ton tr:tur ts:tso tt:tat tw:twi ty:tah ug:uig uk:ukr ur:urd uz:uzb ve:ven vi:vie vo:vol wa:wln
    wo:wol xh:xho yi:yid yo:yor za:zha zh:zho zu:zul
    in:ind iw:heb ji:yid jw:jav mo:ron sh:srp
    alb:sqi arm:hye baq:eus bur:mya chi:zho cze:ces dut:nld fre:fra geo:kat ger:deu gre:ell ice:isl mac:mkd mao:mri
    may:msa per:fas rum:ron slo:slk sve:swe tib:bod wel:cym
"""
_ISO_639_2 = dict(pair.split(":") for pair in _PAIRS.split())
_CODE = re.compile("[a-z]{3}")


def primary_language(tag: str) -> str:
    """The first part of a BCP-47 tag, in small letters: the language without its region and script."""
    return tag.split("-")[0].lower()


def language_code(tag: str) -> str | None:
    """The code that stands for a BCP-47 tag, ISO 639-2/T where it has one; None of a tag that has none.

    Args:
        tag: such as pt-BR; old ones, such as iw and in, count as those that took their place, and codes of
            libraries (ISO 639-2/B: ger, fre), which Matroska has, as those of languages.
    """
    primary = primary_language(tag)
    code = _ISO_639_2.get(primary, primary)
    return code if _CODE.fullmatch(code) else None


def is_in(tagged: str | None, language: str | None) -> bool:
    """Whether a stream's tag, whichever code of the language its container keeps, says a BCP-47 tag's language.

    Args:
        tagged: of the stream; None where it has none.
        language: asked for; None asks for nothing.
    """
    if tagged is None or language is None:
        return False
    return language_code(tagged) == language_code(language) is not None
