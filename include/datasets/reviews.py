"""The product reviews source system: a data set shaped like Amazon Customer Reviews in its Parquet form.

The public data set (``s3://amazon-reviews-pds``) is closed since 2023. This one has its columns, types,
folders, categories and habits. It is a function of category and review number, without random numbers or a
clock: the first n reviews of a category are the same in a small and in a large data set.

What is delivered is ``raw/reviews/product_category=X/part-NNNNN.parquet``, at most 10,000 reviews per file,
with the habits that break a pipeline:

Skew
    Categories have their real shares. Seven of ten reviews are American, four of ten are of 2014 and 2015,
    few of 1995. Stars are J-shaped around the quality of the product. Few products get most of the reviews
    and few reviews most of the votes. At most as many votes are helpful as there are votes.

Products
    All reviews of a product have its id, parent, title and category. Some products share a parent, as
    variants do. Most reviews of a product are written in its home marketplace, whose language its title has.

Titles
    One in eight is longer than 200 characters, the longest have 400, in Japanese of up to three bytes. There
    are titles with ``|``, commas, both quotes, line feeds, tabs, backslashes, HTML entities and emoji, and a
    few that are empty or NULL. Headlines and bodies are NULL or empty now and then too.

The columns are those of https://huggingface.co/datasets/defunct-datasets/amazon_us_reviews; the Parquet form
adds ``year`` and moves ``product_category`` into the folder's name.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache as once
from itertools import batched, cycle, islice
from pathlib import Path

import duckdb

from datasets.cache import build, locked, verified
from datasets.delivery import Delivery, Progress, silent

ROWS = 100_000
"""Reviews to make unless another number is asked for."""
MOST_ROWS = 160_000_000
"""About as many as the real data set has; beyond, ids would run out."""
ROWS_PER_FILE = 10_000

# Thousands of reviews in the real data set, and what is sold, by category.
_CATEGORIES: dict[str, tuple[int, str]] = {
    "Apparel": (5906, "Rain Jacket, Merino Sweater, Cargo Pants, Flannel Shirt"),
    "Automotive": (3515, "Floor Mats, Wiper Blades, Oil Filter, Roof Rack"),
    "Baby": (1753, "Stroller, Bottle Warmer, Swaddle Blanket, Teething Ring"),
    "Beauty": (5116, "Face Cream, Nail Polish, Hair Serum, Lip Balm"),
    "Books": (19531, ""),
    "Camera": (1802, "Camera Bag, Tripod, Lens Filter, Memory Card Case"),
    "Digital_Ebook_Purchase": (17622, ""),
    "Digital_Music_Purchase": (1689, ""),
    "Digital_Software": (102, "Photo Editor, Tax Software, Antivirus, Language Course"),
    "Digital_Video_Download": (4057, ""),
    "Digital_Video_Games": (145, "Racing Game, Puzzle Game, City Builder, Season Pass"),
    "Electronics": (3094, "Headphones, Bluetooth Speaker, HDMI Cable, Universal Remote"),
    "Furniture": (792, "Bookshelf, Office Chair, Bar Stool, Bed Frame"),
    "Gift_Card": (149, "Gift Card, Greeting Card, Gift Card in a Box, Email Gift Card"),
    "Grocery": (2402, "Green Tea, Coffee Beans, Almond Butter, Dark Chocolate"),
    "Health_&_Personal_Care": (5331, "Vitamin D3, Electric Razor, Massage Oil, Heating Pad"),
    "Home": (6222, "Curtain Panel, Throw Pillow, Wall Clock, Sheet Set"),
    "Home_Entertainment": (706, "Soundbar, Projector, TV Wall Mount, Blu-ray Player"),
    "Home_Improvement": (2635, "Shower Head, LED Bulb, Door Lock, Paint Sprayer"),
    "Jewelry": (1768, "Pendant Necklace, Stud Earrings, Charm Bracelet, Wedding Band"),
    "Kitchen": (4880, "Chef's Knife, Cast Iron Skillet, Coffee Grinder, Mixing Bowls"),
    "Lawn_and_Garden": (2557, "Garden Hose, Bird Feeder, Hedge Trimmer, Patio Umbrella"),
    "Luggage": (349, "Carry-On, Duffel Bag, Packing Cubes, Backpack"),
    "Major_Appliances": (97, "Dishwasher, Range Hood, Chest Freezer, Washer Hose"),
    "Mobile_Apps": (5033, "Flashlight, Word Puzzle, Weather Radar, Recipe Box"),
    "Mobile_Electronics": (105, "Car Charger, FM Transmitter, GPS Mount, Dash Cam"),
    "Music": (4752, ""),
    "Musical_Instruments": (905, "Guitar Strings, Drum Sticks, Keyboard Stand, Ukulele"),
    "Office_Products": (2642, "Gel Pens, Ink Cartridge, Desk Organizer, Label Maker"),
    "Outdoors": (2302, "Camping Tent, Bike Light, Water Bottle, Sleeping Bag"),
    "PC": (6909, "Laptop Sleeve, USB Hub, Wireless Mouse, Tablet Case"),
    "Personal_Care_Appliances": (86, "Hair Dryer, Beard Trimmer, Bathroom Scale, Foot Spa"),
    "Pet_Products": (2644, "Dog Bed, Cat Tree, Leash, Aquarium Filter"),
    "Shoes": (4367, "Running Shoes, Ankle Boots, Sandals, Kids' Sneakers"),
    "Software": (342, "Office Suite, Accounting Software, Typing Tutor, Map Update"),
    "Sports": (4850, "Yoga Mat, Resistance Bands, Golf Glove, Jump Rope"),
    "Tools": (1741, "Cordless Drill, Socket Set, Work Light, Tape Measure"),
    "Toys": (4864, "Building Blocks, Board Game, Plush Bear, Kids' Drone"),
    "Video": (381, ""),
    "Video_DVD": (5069, ""),
    "Video_Games": (1786, "Controller, Charging Dock, Gaming Headset, Role-Playing Game"),
    "Watches": (961, "Dive Watch, Leather Strap, Chronograph, Ladies' Watch"),
    "Wireless": (9002, "Phone Case, Screen Protector, Power Bank, Charging Cable"),
}
CATEGORIES = tuple(_CATEGORIES)
"""The real data set's categories, which are the folders' names."""

# What titles, headlines and texts are made of. The four entries of a list are languages: English, German,
# French, Japanese.
_BRANDS = (
    "Northwind, Halden, Brightleaf, O'Malley, Kestrel & Sons, Lumio, Tavira, Blåbær, Quillfeather, Ostrava"
)
_WORKS = (
    "The Silent Harbor, A Winter in Lisbon, Rivers of Glass, The Last Cartographer, Midnight Orchard, Exit 9",
    "Der stille Hafen, Die Gärten von Görlitz, Nächte über Köln, Das gläserne Schloß, Späte Züge, Brücken",
    "Le Port silencieux, L'Été à Besançon, Les Rivières de verre, Cœur d'hiver, La Forêt, L'Île aux fées",
    "静かな港, 冬のリスボン, 硝子の川, 最後の地図職人, 真夜中の果樹園, 紙の王国",
)
_GOODS = (  # in English, what the category sells
    "Küchenmesser, Regenjacke, Kopfhörer, Schlüsselanhänger, Bürostuhl, Wärmflasche",
    "Couteau d'office, Veste imperméable, Casque audio, Étui, Chaise de bureau, Théière",
    "包丁, レインコート, ヘッドホン, キーホルダー, オフィスチェア, 急須",
)
_WORK_DETAILS = (
    'A Novel; Second Book; Special Edition; With a New Foreword; Remastered Collection; The "Lost" Chapters',
    'Roman in zwei Teilen; Band 2; Gekürzte Fassung; Für Kinder; Teil 1, 2 und 3; Das "verlorene" Kapitel',
    "Roman; Tomes 1, 2 et 3; Édition spéciale; Livre d'été; Illustré par l'auteur; Le chapitre \"perdu\"",
    "長編小説; 上, 中, 下; 新しい序文付き; 監督による再編集版; 大きな活字; 「失われた」章",
)
_GOODS_DETAILS = (
    "Black; Pack of 2; 10.1\" x 7.5\"; with Free Carrying Case; for Men, Women & Kids; 5' and 6' Length",
    'Größe wählbar; 2er-Pack; 25,7 x 19 cm; spülmaschinenfest; für Damen & Herren; "Made in Solingen"',
    "Vert forêt; Lot de 2; 25,7 x 19 cm; Lavable à l'eau; Homme, Femme & Enfant; Qualité d'atelier",
    "ブラック; 2個セット; 25.7 x 19 cm; 収納ケース付き; 男女兼用, 子供にも; 「日本製」",
)
_HEADLINES = (  # three each from one star to five
    (
        "Broke after a week; Don't buy; One Star; Disappointed; Not as described; Two Stars; It's okay;"
        "Good, not great; Three Stars; Nice; Works as advertised; Four Stars; Love it!; Best ever; Five Stars"
    ),
    (
        "Schrott; Nie wieder; Kaputt; Enttäuscht; Nicht wie beschrieben; Naja; Ganz okay; Nicht großartig;"
        "Mittelmäßig; Schön; Gut; Fast perfekt; Super; Für mich das Beste; Sehr zufrieden"
    ),
    (
        "À éviter; Cassé; N'achetez pas; Déçu; Pas conforme; Bof; Moyen; Correct; Bien, sans plus; Très bien;"
        "Joli; Bon achat; Parfait; J'adore; Le meilleur"
    ),
    (
        "最悪; 壊れた; おすすめしません; がっかり; 説明と違う; いまいち; 普通; まあまあ; 悪くはない; 良い;"
        "満足; ほぼ完璧; 最高; 大好き; 買ってよかった 😊"
    ),
)
_SENTENCES = (  # four each of bad, mixed and good reviews
    (
        "Broke after # weeks.; It arrived broken.; I sent it back.; Save your money.; "
        "In use for # weeks now.; Does what it should.; The color differs.; Fine for the price.; "
        'I have had it for # weeks.; Works perfectly.; My wife says "buy another one".; Highly recommended!'
    ),
    (
        "Hielt # Wochen.; Kam beschädigt an.; Ging zurück.; Schade ums Geld.; Seit # Wochen in Gebrauch.;"
        "Tut, was es soll.; Die Farbe weicht ab.; Für den Preis in Ordnung.; Nach # Wochen wie neu.;"
        "Läuft einwandfrei.; Größe paßt genau.; Klare Empfehlung!"
    ),
    (
        "A tenu # semaines.; Arrivé cassé.; Notice illisible.; Argent perdu.; Utilisé depuis # semaines.;"
        "Fait ce qu'on lui demande.; La couleur diffère.; Correct pour le prix.; Neuf après # semaines.;"
        "Fonctionne à merveille.; Ma fille l'adore.; Je recommande !"
    ),
    (
        "#週間で壊れた。; 説明書が分かりにくい。; 返品しました。; お金の無駄。; #週間使いました。; "
        "値段相応です。; 写真と色が違う。; 可もなく不可もなく。; #週間使っています。; とても使いやすい。; "
        "家族も喜んでいます。; また買います。"
    ),
)

_YEARS = {
    1995: 1, 1996: 1, 1997: 2, 1998: 4, 1999: 6, 2000: 11, 2001: 11, 2002: 12, 2003: 12, 2004: 14, 2005: 18,
    2006: 20, 2007: 30, 2008: 32, 2009: 40, 2010: 50, 2011: 70, 2012: 110, 2013: 126, 2014: 190, 2015: 240,
}  # fmt: skip
_STARS = (  # of good, middling and poor products
    {5: 72, 4: 15, 3: 5, 2: 3, 1: 5},
    {5: 50, 4: 23, 3: 11, 2: 7, 1: 9},
    {5: 26, 4: 16, 3: 14, 2: 14, 1: 30},
)
_MARKETPLACES = {"US": 72, "UK": 13, "DE": 7, "FR": 3, "JP": 5}

_LENGTHS = (1, 2, 3, 14, 40)  # details in a title: few, many, and more than the 400 characters hold

# A hash has four draws of 16 bits, at bits 0, 16, 32 and 48. Words are picked from flat lists of blocks
# of `size` words: DuckDB would copy an inner list for every row.
_MACROS = """
create temp macro draw(hash, low, choices) as ((hash >> low) & 65535)::bigint % choices;
create temp macro pick(list, hash, low, size, block := 0) as list[1 + size * block + draw(hash, low, size)];
"""

# The multipliers have no factor in common with the modulus after them: different numbers make different ids.
_REVIEWS = """
with numbered as (
    select
        number,
        $category_number::bigint as category_number,
        $works as works,
        md5_number_lower($category || '/' || number) as a,
        md5_number_upper($category || '/' || number) as b,
        md5_number_lower($category || '#' || number) as c,
        md5_number_upper($category || '#' || number) as d,
    from range($first, $last) as t (number)
),

-- The later a review, the more products there are; the earlier a product, the more reviews it has.
placed as (
    select *, ((number * draw(a, 0, 65536) * draw(a, 0, 65536)) >> 32) // 6 as product from numbered
),

-- 211 kinds of products take turns; a category's first and most popular product is plain: of a kind below 43.
sold as (
    select
        *,
        md5_number_lower($category || '/product/' || product) as p,
        md5_number_upper($category || '/product/' || product) as q,
        (product + category_number) % 211 as kind,
        pick(getvariable('marketplaces'), q, 0, 100) as home,
    from placed
),

drawn as (
    select
        *,
        case when draw(a, 16, 16) > 0 then home when home = 'US' then 'UK' else 'US' end as marketplace,
        case home when 'DE' then 1 when 'FR' then 2 when 'JP' then 3 else 0 end as home_language,
        pick(getvariable('years'), a, 32, 1000)::int as year,
        pick(getvariable('stars'), b, 0, 100, [0, 0, 0, 0, 0, 0, 1, 1, 1, 2][1 + draw(q, 16, 10)])::int
            as star_rating,
        -- a power law, 1 / u^0.75, in operations that IEEE 754 rounds alike everywhere
        floor(0.9 / (sqrt(u) * sqrt(sqrt(u))) - 0.9)::int as total_votes,
        case
            when kind = 46 then chr(10)
            when kind = 47 then chr(9)
            when kind % 9 = 4 then ' | '
            when kind % 5 = 1 then ' - '
            else ', '
        end as separator,
        -- which of _LENGTHS
        case when kind between 50 and 52 then 4 when kind % 8 = 5 then 3 else draw(p, 48, 3) end as length,
    from (select *, (((b >> 32)::double + 1) / 4294967296) as u from sold)
),

worded as (
    select
        *,
        case marketplace when 'DE' then 1 when 'FR' then 2 when 'JP' then 3 else 0 end as language,
        if(works, '', pick(getvariable('brands'), p, 0, 10) || ' ')
        || pick(getvariable('names'), p, 16, 12, home_language)
        || if(works, '', ' ' || chr(65 + draw(q, 32, 26)::int) || (100 + draw(q, 48, 900)))
        || replace(
            chr(10) || pick(getvariable('details'), p, 32, 6, 5 * home_language + length), chr(10), separator
        ) as words,
    from drawn
)

select
    marketplace,
    -- of 16.8 million customers, some write much more than others
    ((((c & 16777215)::bigint * (c & 16777215)::bigint) >> 24) * 16807 % 53099999 + 10001)::varchar
        as customer_id,
    'R' || to_base((category_number * 134217728 + number) * 1000000007 % 4738381338321616896, 36, 12)
        as review_id,
    if(
        $category = 'Books',
        lpad(((product * 7368787 + 312000000) % 10000000000)::varchar, 10, '0'),
        'B0' || to_base((category_number * 134217728 + product) * 500000003 % 2821109907456, 36, 8)
    ) as product_id,
    ((category_number * 20000000 + product - if(product % 7 = 6, 1, 0)) * 7919 % 999999937)::varchar
        as product_parent,
    case kind
        when 200 then null
        when 201 then ''
        when 48 then words || ' 🎁'
        when 49 then '"' || words || '"'
        when 53 then words || ' (D:' || chr(92) || 'Setup' || chr(92) || 'N)'
        when 54 then words || ' &amp; More'
        else trim(left(words, 400))
    end as product_title,
    star_rating,
    -- one third of the reviews have only helpful votes
    (total_votes * least(255, 120 + draw(b, 16, 204)) // 255)::int as helpful_votes,
    total_votes,
    if(draw(d, 0, 250) = 0, 'Y', 'N') as vine,
    if(draw(d, 0, 10) < 8 and year > 2000, 'Y', 'N') as verified_purchase,
    case draw(c, 32, 400)
        when 0 then null
        when 1 then ''
        else pick(getvariable('headlines'), c, 32, 3, 5 * language + star_rating - 1)
    end as review_headline,
    case draw(d, 16, 400)
        when 0 then null
        when 1 then ''
        else replace(
            replace(
                pick(getvariable('bodies'), d, 32, 32, 3 * language + (star_rating - 1) // 2),
                '#', (2 + draw(c, 48, 50))::varchar
            ),
            chr(10), if(draw(d, 48, 8) = 0, '<br /><br />', if(draw(d, 48, 30) = 1, chr(10), ' '))
        )
    end as review_body,
    make_date(year, 1, 1) + draw(a, 48, if(year = 2015, 243, 365))::int as review_date,
    year,
from worded
order by number
"""


def deliver(*, rows: int = ROWS, cache: Path, progress: Progress = silent) -> list[Delivery]:
    """Make the reviews, or find them in the cache.

    Args:
        rows: How many reviews, from 43 (one per category) to `MOST_ROWS`.
        cache: Folder that keeps what was generated. Damaged files in it are made again, those of an older
            version of this code are removed.
        progress: Told about every category.

    Returns:
        The files, by category and part.

    Raises:
        ValueError: The number of rows is out of range; the message is one sentence for the user.
        duckdb.Error: The generator fails, e.g. for a full disk.
    """
    fewest = len(CATEGORIES)
    if not fewest <= rows <= MOST_ROWS:
        raise ValueError(
            f"{rows} reviews cannot be generated: choose from {fewest}, one per category, to {MOST_ROWS}."
        )
    home = cache / f"reviews-{rows}-{_version()}"
    deliveries = []
    with locked(cache), _connect() as connection:
        if not home.exists():
            for outdated in cache.glob(f"reviews-{rows}-*"):
                shutil.rmtree(outdated)
        for done, (category, count) in enumerate(_counts(rows).items()):
            progress("generating reviews", done, len(CATEGORIES))
            folder = home / category
            files = verified(folder) or build(folder, _writer(category, count, connection))
            for name, file in sorted(files.items()):
                key = f"raw/reviews/product_category={category}/{name}"
                deliveries.append(Delivery(key, folder / name, file.rows, file.size, file.md5))
        progress("generating reviews", len(CATEGORIES), len(CATEGORIES))
    return deliveries


def _counts(rows: int) -> dict[str, int]:
    """Reviews per category: one, and its share of the others."""
    total = sum(weight for weight, _ in _CATEGORIES.values())
    shared = rows - len(_CATEGORIES)
    counts, weights = {}, 0
    for category, (weight, _) in _CATEGORIES.items():
        counts[category] = 1 + shared * (weights + weight) // total - shared * weights // total
        weights += weight
    return counts


def _connect() -> duckdb.DuckDBPyConnection:
    """A database with the macros and the words that `_REVIEWS` is made of."""
    connection = duckdb.connect()
    connection.execute("set threads = 1")  # one order of rows in a file, every time
    connection.execute(_MACROS)
    _set(
        connection,
        brands=_BRANDS.split(", "),
        headlines=[headline for language in _HEADLINES for headline in _phrases(language)],
        bodies=[
            body
            for language in _SENTENCES
            for mood in batched(_phrases(language), 4)
            for body in _passages(mood, range(1, 9))
        ],
        marketplaces=_repeated(_MARKETPLACES),
        years=_repeated(_YEARS),
        stars=[star for stars in _STARS for star in _repeated(stars)],
    )
    return connection


def _set(connection: duckdb.DuckDBPyConnection, **words: Iterable[str]) -> None:
    """Set variables to lists. DuckDB takes long to convert a Python list, and no time to split a string."""
    for name, values in words.items():
        connection.execute(f"set variable {name} = string_split(?, chr(31))", ["\x1f".join(values)])


def _repeated(weights: Mapping[str, int] | Mapping[int, int]) -> list[str]:
    """Each value as often as its weight says: an even draw from the list is a weighted one."""
    return [str(value) for value, weight in weights.items() for _ in range(weight)]


def _phrases(text: str) -> list[str]:
    return [phrase.strip() for phrase in text.split(";")]


def _passages(phrases: Sequence[str], lengths: Iterable[int]) -> Iterator[str]:
    """For each length, that many phrases, a line each, from every phrase on; the first follows the last."""
    for length in lengths:
        for first in range(len(phrases)):
            yield "\n".join(islice(cycle(phrases), first, first + length))


def _writer(
    category: str, count: int, connection: duckdb.DuckDBPyConnection
) -> Callable[[Path], dict[str, int]]:
    goods = _CATEGORIES[category][1]
    names, details = ((goods, *_GOODS), _GOODS_DETAILS) if goods else (_WORKS, _WORK_DETAILS)
    parameters = {"category": category, "category_number": CATEGORIES.index(category), "works": not goods}

    def write(folder: Path) -> dict[str, int]:
        _set(
            connection,
            names=[name for language in names for name in islice(cycle(language.split(", ")), 12)],
            details=[text for language in details for text in _passages(_phrases(language), _LENGTHS)],
        )
        rows = {}
        for part, first in enumerate(range(0, count, ROWS_PER_FILE)):
            name = f"part-{part:05}.parquet"
            last = min(first + ROWS_PER_FILE, count)
            connection.execute(
                f"copy ({_REVIEWS}) to $path (format parquet, compression zstd)",
                parameters | {"first": first, "last": last, "path": str(folder / name)},
            )
            rows[name] = last - first
        return rows

    return write


@once
def _version() -> str:
    """What the cache's content depends on, beside the number of rows."""
    return hashlib.sha256(duckdb.__version__.encode() + Path(__file__).read_bytes()).hexdigest()[:12]
