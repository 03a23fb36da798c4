"""Language tags of BCP-47 (RFC 5646): which are taken, and how they are written.

Taken are the two-letter languages of ISO 639-1, the three-letter ones of ISO 639-2 and the widely
spoken ones of ISO 639-3, where no two-letter code exists; with script, region of ISO 3166-1 or UN M.49,
variants, extensions and private use behind them. Codes as of 2024.
"""

import re


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


TWO_LETTERS = _codes(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en
    eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja
    jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb
    nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq
    sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
    """
)
THREE_LETTERS = _codes(
    """
    ace ach acm acw ada ady aeb afb ain ale als alt ang anp apc apd arb arn arp ars arw ary arz ase ast awa ayl azb
    azj bal ban bar bas bcl bej bem bfi bho bik bin bjn bla bra bua bug byn cad car cdo ceb chk chm chn cho chp chr
    chy cjy ckb cmn cnr crh csb dag dak dar del den dgr din doi dsb dua dum dyu efi eka ekk enm ewo fan fat ffm fil
    fon frm fro frr frs fuf fur fuv gaa gan gay gba gcr gil gmh goh gon gor grb grc gsg gsw gur guz gwi hai hak haw
    hif hil hmn hne hsb hsn hup iba ibb igb ilo inh jam jpr jrb kaa kab kac kam kbd kha khk kln kmb kmr knc kok kos
    kpe krc kri krl kru kum kut lad lah lam lez lgg lij lmo lol loz lua lun luo lus luy lvs mad mag mai mak man mas
    mdf mdr men mer mey mfe mga mic min mnc mni moh mos mus mwl mwr myv nan nap nds new nia niu nog non npi nqo nso
    nwc nym nyn nyo nzi ory osa ota pag pam pap pau pcm peo pes plt pms pnb pon pro prs quy quz raj rap rar rcf rif
    rom rue rup sad sah sas sat scn sco sdh sel sga sgs shi shn sid skr sma smj smn sms snk srn srr suk sus swh syc
    syr tem teo ter tet tig tiv tkl tli tmh tog toi tpi tsi tum tvl tyv tzm udm umb urh uzn vai vec vls vot wal war
    was wuu xal yao yap ydd yue zap zen zgh zsm zun zza
    """
)
REGIONS = _codes(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
    JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
    TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """
)

_TAG = re.compile(
    r"""
    (?P<language>[a-z]{2,3}) (?:-(?P<extlang>[a-z]{3}))?
    (?:-(?P<script>[a-z]{4}))?
    (?:-(?P<region>[a-z]{2}|[0-9]{3}))?
    (?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)
    (?P<extensions>(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*)
    (?P<private>(?:-x(?:-[a-z0-9]{1,8})+)?)
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


class UnknownLanguageError(ValueError):
    """A text that is no language tag, or names no language that is known here."""


def language_tag(text: str) -> str:
    """The tag that a text spells, in the letter case that RFC 5646 2.1.1 recommends: `zh-Hant-TW`.

    Raises:
        UnknownLanguageError: says what is wrong and how it would be right.
    """
    match = _TAG.fullmatch(text)
    if match is None:
        raise UnknownLanguageError(f"{text!r} is no BCP-47 language tag; examples: de, pt-BR, zh-Hant-TW")
    language, extlang, region = (match[name] for name in ("language", "extlang", "region"))
    _check_language(language)
    if extlang and extlang.lower() not in THREE_LETTERS:
        raise UnknownLanguageError(f"{extlang!r} in {text!r} names no language that is known here")
    if region and region.isalpha() and region.upper() not in REGIONS:
        hint = "; the United Kingdom is GB" if region.upper() == "UK" else ""
        raise UnknownLanguageError(f"{region!r} in {text!r} is no region of ISO 3166-1{hint}")
    return _cased(match)


def _check_language(code: str) -> None:
    known = TWO_LETTERS if len(code) == 2 else THREE_LETTERS
    if code.lower() not in known:
        hint = "; where a language has a two-letter code, that is the one to write" if len(code) == 3 else ""
        raise UnknownLanguageError(f"{code!r} names no language that is known here{hint}")


def _cased(match: re.Match[str]) -> str:
    extlang, script, region = match["extlang"], match["script"], match["region"]
    parts = [
        match["language"].lower(),
        extlang and extlang.lower(),
        script and script.title(),
        region and region.upper(),
    ]
    tail = "".join(match[name].lower() for name in ("variants", "extensions", "private"))
    return "-".join(part for part in parts if part) + tail
