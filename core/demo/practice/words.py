"""The practice's vocabulary: names, streets, what people write into notes, and what makes notes hard."""

from __future__ import annotations

import functools
import random

# ruff: noqa: SIM905 - names are easier to read and to add to in a text than in a list of literals

FIRST_NAMES = (
    "Abigail Adam Aiko Alan Amelia Amy Anders Anna Anthony Beatriz Björn Brian Camila Carlos Chloë Daniel "
    "David Deborah Edward Elena Emma Eric Ethan Fatima Frank George Grace Hannah Henry Ingrid Isabella Jacob "
    "James Jessica Joan José Karen Kevin Laura Liam Linda Lucía Mark Mary Mia Michael Nadia Noah Olivia Omar "
    "Patricia Paul Quinn Rachel Raj Renée Robert Ruth Sarah Sean Sofia Thomas Victor Wei William Yusuf Zoë"
).split()

LAST_NAMES = (
    "Adams Allen Anderson Baker Bennett Brown Campbell Carter Chen Clark Cohen Collins Cruz D'Angelo Davis "
    "Diaz Edwards Evans Fischer Flores Garcia Gonzalez Green Hall Harris Hernández Hill Ito Jackson Johnson "
    "Jones Kim King Kowalski Larsson Lee Lewis Lopez MacDonald Martin Mensah Miller Moore Müller Nguyen "
    "O'Brien Okafor Patel Perez Peters Quist Ramirez Reed Rivera Roberts Rossi Sanchez Schmidt Scott Singh "
    "Smith St.Clair Taylor Thompson Tran Van-Dyke Walker White Williams Wilson Wright Young Ziegler"
).split()

STREETS = (
    "Alder St;Birch Ave;Cedar Ln;Commercial St SE;Division St;Elm Ct;Fairview Rd;High St NE;Lancaster Dr;"
    "Liberty Rd S;Madrona Ave;Market St;Oak Grove Way;Pine St;River Rd N;State St;Summer St;Union Hill Rd"
).split(";")

CITIES = "Salem;Keizer;Dallas;Silverton;Stayton;Independence;Monmouth;Woodburn;Turner;Aumsville".split(";")

SENTENCES = (
    "Pt presented for periodic exam.",
    "Reviewed medical history, no changes.",
    "BP 128/82, pulse 72.",
    "Moderate calculus on lower anteriors.",
    "Anesthetic: 1.7 ml lidocaine 2% w/ epi 1:100k.",
    "Prepped #14 MOD, placed composite shade A2.",
    "Adjusted occlusion; pt happy with bite.",
    "Post-op instructions given (written & verbal).",
    "Left message on machine, will call back.",
    "Says the bill is wrong; wants to talk to Dr.",
    "Ins verified: 100/80/50, $1,500 max, $50 ded.",
    "NV: crown seat, 60 min.",
    "Pt is nervous, prefers nitrous.",
    "Watch #30 for fracture line.",
    "Referred to endo for #19.",
    "Mother will bring insurance card next time.",
)

HARD_PARTS = (
    "col A\tcol B\tcol C",
    "line one\nline two\n\nline four",
    "typed on Windows\r\nsecond line\r\n",
    "old Mac\rline",
    "X-rays in C:\\OpenDentImages\\S\\SmithJ\\n_new",
    "\\N",
    "\\.",
    "ends with a backslash \\",
    'she said "it\'s fine"; `ok`',
    "  blanks at both ends  ",
    "50% off? {0} %s :name ${HOME}",
    "🦷 clean! 😀👍🏽",
    "Größe paßt, señor; naïve – “quoted” — €20",
    "牙医 Приём بطاقة",
    "'; drop table patient; --",
    "<b>bold</b> &amp; [[img:tooth.png]]",
)
"""What a careless pipeline breaks on."""

DURATIONS = (
    "00:00:00",
    "00:15:00",
    "08:00:00",
    "07:45:30",
    "-00:30:00",
    "-01:05:09",
    "25:00:00",
    "40:00:00",
    "86:20:00",
    "-36:15:00",
    "838:59:59",
    "-838:59:59",
)
"""TIME is a duration in Open Dental: a pay period has more than 24 hours, a correction is negative."""

PROCEDURES = (
    ("D0120", "periodic oral evaluation", 52),
    ("D0150", "comprehensive oral evaluation", 88),
    ("D0210", "intraoral, complete series", 135),
    ("D0220", "intraoral, periapical first film", 28),
    ("D0274", "bitewings, four films", 64),
    ("D0330", "panoramic film", 112),
    ("D1110", "prophylaxis, adult", 94),
    ("D1120", "prophylaxis, child", 66),
    ("D1206", "topical fluoride varnish", 38),
    ("D1351", "sealant, per tooth", 54),
    ("D2140", "amalgam, one surface", 142),
    ("D2150", "amalgam, two surfaces", 178),
    ("D2330", "composite, one surface anterior", 165),
    ("D2391", "composite, one surface posterior", 174),
    ("D2392", "composite, two surfaces posterior", 226),
    ("D2740", "crown, porcelain", 1285),
    ("D2750", "crown, porcelain fused to high noble", 1240),
    ("D2950", "core buildup", 268),
    ("D3310", "root canal, anterior", 765),
    ("D3330", "root canal, molar", 1190),
    ("D4341", "scaling and root planing, quadrant", 248),
    ("D4910", "periodontal maintenance", 142),
    ("D5110", "complete denture, maxillary", 1780),
    ("D6010", "implant body", 2150),
    ("D7140", "extraction, erupted tooth", 186),
    ("D7210", "surgical extraction", 292),
    ("D9110", "palliative treatment", 118),
    ("D9230", "nitrous oxide", 68),
)
"""Code, description and usual fee in dollars."""

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def escaped(text: str) -> str:
    """Write a text as LOAD DATA reads it.

    Args:
        text: Any text without NUL.
    """
    return text.translate(_ESCAPES)


@functools.cache
def notes(kind: str, longest: int) -> tuple[str, ...]:
    """Give a pool of notes, as LOAD DATA reads them; the same ones in every process.

    Args:
        kind: What the notes are for; each kind has other notes.
        longest: Most sentences of a note.
    """
    chance = random.Random(f"notes:{kind}")  # noqa: S311 - practice data, no secrets
    pool = []
    for number in range(1200):
        parts = chance.choices(SENTENCES, k=chance.randint(1, longest))
        if number % 6 == 0:
            parts.insert(chance.randrange(len(parts) + 1), HARD_PARTS[number // 6 % len(HARD_PARTS)])
        pool.append(escaped(" ".join(parts)))
    # Alone in its field, each of them looks like something else: NULL, the end of a COPY, nothing.
    return (*pool, *map(escaped, (*HARD_PARTS, "", " ") * 12))
