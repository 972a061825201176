// SPDX-License-Identifier: MIT
//! Every type that a view reads and a column holds, through functions and their C table.

// Other tests use the other items.
#[allow(dead_code)]
mod build;

use arrowalloy::{
    Bools, Bytes, Code, Column, Date32, Date64, Decimal, Decimal128, Dictionary,
    Duration, Fixed, List, Microsecond, Millisecond, Nanosecond, NoZone, Second, Strings,
    Time, Timestamp, Utc, View, Zone,
};
use build::{
    Batch, Made, bits_of, bytes_of, flat, formats, list_of, lists_of, with_number,
};
use test_host::{Backend, Failure};

/// A zone that the crate does not have.
pub enum Stockholm {}
impl Zone for Stockholm {
    const NAME: Option<&'static str> = Some("Europe/Stockholm");
}

// The same column again: every type as an input and as a result.
macro_rules! same {
    ($($name:ident: $type:ty;)*) => {
        $(arrowalloy::function! {
            /// The same column.
            fn $name(x: View<$type>) -> same: $type {
                x.iter().collect()
            }
        })*
    };
}

same! {
    seconds: Timestamp<Second>;
    millis: Timestamp<Millisecond>;
    micros: Timestamp<Microsecond>;
    nanos: Timestamp<Nanosecond>;
    utc: Timestamp<Microsecond, Utc>;
    naive: Timestamp<Microsecond, NoZone>;
    stockholm: Timestamp<Nanosecond, Stockholm>;
    day: Date32;
    day_millis: Date64;
    time_s: Time<Second>;
    time_ms: Time<Millisecond>;
    time_us: Time<Microsecond>;
    time_ns: Time<Nanosecond>;
    took_s: Duration<Second>;
    took_ms: Duration<Millisecond>;
    took_us: Duration<Microsecond>;
    took_ns: Duration<Nanosecond>;
    any_decimal: Decimal128;
    money: Decimal<15, 2>;
    thousands: Decimal<5, -3>;
    triple: [u8; 3];
    nothing: [u8; 0];
}

arrowalloy::function! {
    /// The zone of a column, and a moment in UTC.
    fn zone(x: View<Timestamp<Microsecond>>) -> (zone: String, at: Timestamp<Second, Utc>) {
        let zone = x.time_zone().unwrap_or("none").to_owned();
        let at = x.iter().map(|x| Some(Timestamp::new(x?.value() / 1_000_000)));
        ((0..x.len()).map(|_| zone.clone()).collect(), at.collect())
    }
}

arrowalloy::function! {
    /// Precision and scale, and lists of the decimals up to each row.
    fn scale(x: View<Decimal128>) -> (scale: String, all: Vec<Option<Decimal128>>) {
        let text = format!("{},{}", x.precision(), x.scale());
        let all = (0..x.len()).map(|row| x.iter().take(row + 1).collect::<Vec<_>>());
        ((0..x.len()).map(|_| text.clone()).collect(), all.collect())
    }
}

arrowalloy::function! {
    /// A decimal of nothing.
    fn no_input(x: View<i64>) -> y: Decimal128 {
        x.iter().map(|x| Some(Decimal128::new(i128::from(x?)))).collect()
    }
}

arrowalloy::function! {
    /// Bytes of any kind.
    fn sizes(x: Bytes) -> size: i32 {
        x.iter().map(|x| Some(x?.len() as i32)).collect()
    }
}

arrowalloy::function! {
    /// Numbers of lists: how many, and which.
    fn numbers(x: List<View<i64>>) -> (many: i32, same: Vec<Option<i64>>, raw: i64) {
        let raw = x.iter().map(|list| Some(list?.values().len() as i64));
        (
            x.iter().map(|list| Some(list?.len() as i32)).collect(),
            x.iter().map(|list| Some(list?.iter().collect())).collect(),
            raw.collect(),
        )
    }
}

arrowalloy::function! {
    /// Each list as one text.
    fn join(x: List<Strings>) -> text: String {
        let join = |list: arrowalloy::ListItems<'_, Strings<'_>>| {
            let texts: Vec<_> = list.iter().map(|text| text.unwrap_or("-")).collect();
            texts.join("+")
        };
        x.iter().map(|list| list.map(join)).collect()
    }
}

arrowalloy::function! {
    /// Lists of lists, decimals and flags.
    fn deep(
        x: List<List<View<i64>>>, d: List<View<Decimal128>>, b: List<Bools>
    ) -> (sum: i64, d: Vec<Decimal128>, any: bool) {
        let sum = x.iter().map(|lists| {
            Some(lists?.iter().flatten().flat_map(|list| list.iter().flatten()).sum())
        });
        let d = d.iter().map(|list| Some(list?.iter().flatten().collect()));
        let any = b.iter().map(|list| Some(list?.iter().any(|flag| flag == Some(true))));
        (sum.collect(), d.collect(), any.collect())
    }
}

arrowalloy::record! {
    /// A place on a map.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Place {
        /// Its name.
        pub name: String,
        /// A keyword is a name as well.
        pub r#type: Option<String>,
        /// Where it is.
        pub at: [u8; 2],
        /// When.
        pub seen: Vec<Timestamp<Second, Utc>>,
    }
}

arrowalloy::function! {
    /// Structs, lists of structs, and dictionaries.
    fn structs(name: Strings) -> (
        place: Place, places: Vec<Place>, city: Dictionary<String>, day: Dictionary<Date32, i8>
    ) {
        let place = |name: &str| Place {
            name: name.to_owned(),
            r#type: (name.len() > 1).then(|| "town".to_owned()),
            at: [1, 2],
            seen: vec![Timestamp::new(name.len() as i64)],
        };
        let mut places = Column::<Vec<Place>>::default();
        for name in name.iter() {
            match name {
                Some(name) => places.push_with(|all| {
                    (0..name.len()).for_each(|_| all.push(Some(place(name))));
                }),
                None => places.push(None),
            }
        }
        let days = name.iter().map(|name| Some(Date32::new(name?.len() as i32).into()));
        (name.iter().map(|name| name.map(place)).collect(), places, name.iter().collect(), days.collect())
    }
}

arrowalloy::function! {
    /// More values than an index of 8 bits counts.
    fn too_many(x: View<i64>) -> y: Dictionary<i64, i8> {
        x.iter().map(|x| x.map(Dictionary::new)).collect()
    }
}

arrowalloy::function! {
    /// The moments of a stream, in lists.
    stream fn lists(x: Moments { at: View<Timestamp<Millisecond>> })
        -> at: Vec<Option<Timestamp<Millisecond>>>
    {
        x.map(|x| {
            let x = x?;
            let x = x.views()?;
            Ok([x.at.iter().collect::<Vec<_>>()].into_iter().map(Some).collect())
        })
    }
}

arrowalloy::backend! {
    name: "test.types",
    functions: [
        seconds, millis, micros, nanos, utc, naive, stockholm, day, day_millis, time_s, time_ms,
        time_us, time_ns, took_s, took_ms, took_us, took_ns, any_decimal, money, thousands,
        triple, nothing, zone, scale, no_input, sizes, numbers, join, deep, structs, too_many,
        lists,
    ],
}

fn run(name: &str, batch: Batch) -> Result<(Vec<String>, Vec<Vec<String>>), Failure> {
    let backend = Backend::load(alloy_backend_init);
    let call = backend.bind(name, &[batch.schema()], &[])?;
    let output = call.run(vec![batch.array()])?;
    Ok((formats(call.schema()), build::read(call.schema(), output.raw())))
}

fn one(
    name: &str,
    rows: usize,
    column: Made,
) -> Result<(Vec<String>, Vec<Vec<String>>), Failure> {
    run(name, Batch::new(rows).add("x", column))
}

// Values and nulls, slices, empty columns and misaligned values, of a format.
fn comes_back<T: Fixed>(name: &str, format: &str, values: [T; 2], texts: [&str; 2]) {
    let column = || flat::<T>(format, &[Some(values[0]), None, Some(values[1])]);
    let of = |texts: &[&str]| (vec![format.to_owned()], vec![strings(texts)]);
    let whole = [texts[0], "null", texts[1]];
    assert_eq!(one(name, 3, column()), Ok(of(&whole)), "{name} {format}");
    assert_eq!(one(name, 2, column().from(1)), Ok(of(&whole[1..])), "{name} {format}");
    assert_eq!(one(name, 0, column().from(3)), Ok(of(&[])), "{name} {format}");
    assert_eq!(one(name, 0, column().from(3).without_buffers()), Ok(of(&[])), "{name}");
    if size_of::<T>() > 0 {
        assert_eq!(
            one(name, 3, column().misaligned()),
            Ok(of(&whole)),
            "{name} {format}"
        );
    }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn moments_of_every_unit_keep_their_zone() {
    for zone in ["", "UTC", "Europe/Stockholm", "+01:00"] {
        let moments = [-1_i64, i64::MAX];
        for (name, unit) in
            [("seconds", "s"), ("millis", "m"), ("micros", "u"), ("nanos", "n")]
        {
            let texts = ["-1", "9223372036854775807"];
            comes_back::<i64>(name, &format!("ts{unit}:{zone}"), moments, texts);
        }
    }
    comes_back::<i64>("utc", "tsu:UTC", [0, 5], ["0", "5"]);
    comes_back::<i64>("naive", "tsu:", [0, 5], ["0", "5"]);
    comes_back::<i64>("stockholm", "tsn:Europe/Stockholm", [0, 5], ["0", "5"]);
    let at = |zone: &str| flat::<i64>(&format!("tsu:{zone}"), &[Some(3_000_000)]);
    let got = one("zone", 1, at("Asia/Tokyo"));
    let expected =
        (strings(&["u", "tss:UTC"]), vec![strings(&["Asia/Tokyo"]), strings(&["3"])]);
    assert_eq!(got, Ok(expected));
    assert_eq!(one("zone", 1, at("")).expect("a result").1[0], ["none"]);
}

#[test]
fn other_units_and_zones_are_declared_as_refused() {
    let backend = Backend::load(alloy_backend_init);
    // SAFETY: the texts of the table.
    let accepts = |name: &str| unsafe {
        let column = *backend.function(name).columns;
        std::ffi::CStr::from_ptr((*column).accepts).to_str().expect("UTF-8")
    };
    assert_eq!(accepts("seconds"), "tss:*");
    assert_eq!(accepts("utc"), "tsu:UTC");
    assert_eq!(accepts("naive"), "tsu:");
    assert_eq!(accepts("stockholm"), "tsn:Europe/Stockholm");
    assert_eq!(accepts("time_ns"), "ttn");
    assert_eq!(accepts("took_ms"), "tDm");
    assert_eq!(accepts("money"), "d:15,2 d:15,2,128");
    assert_eq!(accepts("thousands"), "d:5,-3 d:5,-3,128");
    assert_eq!(accepts("triple"), "w:3");
    assert_eq!(accepts("numbers"), "+l +L +w:* +vl +vL");
}

#[test]
fn days_times_and_durations_come_back() {
    comes_back::<i32>("day", "tdD", [-1, 20_000], ["-1", "20000"]);
    comes_back::<i64>("day_millis", "tdm", [-1, 86_400_000], ["-1", "86400000"]);
    comes_back::<i32>("time_s", "tts", [0, 86_399], ["0", "86399"]);
    comes_back::<i32>("time_ms", "ttm", [0, 86_399_999], ["0", "86399999"]);
    comes_back::<i64>("time_us", "ttu", [0, 7], ["0", "7"]);
    comes_back::<i64>("time_ns", "ttn", [0, 7], ["0", "7"]);
    for (name, format) in
        [("took_s", "tDs"), ("took_ms", "tDm"), ("took_us", "tDu"), ("took_ns", "tDn")]
    {
        comes_back::<i64>(name, format, [i64::MIN, 7], ["-9223372036854775808", "7"]);
    }
}

#[test]
fn decimals_keep_precision_and_scale() {
    let values = [Decimal128::new(-5), Decimal128::new(i128::MAX)];
    let texts = ["-5", "170141183460469231731687303715884105727"];
    for format in ["d:38,2", "d:9,-3", "d:5,0,128"] {
        comes_back::<Decimal128>("any_decimal", format, values, texts);
    }
    comes_back::<Decimal128>("money", "d:15,2", values, texts);
    comes_back::<Decimal128>("thousands", "d:5,-3", values, texts);
    let column = flat::<Decimal128>("d:7,3", &[Some(Decimal128::new(1)), None]);
    let (formats, rows) = one("scale", 2, column).expect("a result");
    assert_eq!(formats, ["u", "+l(item d:7,3)"]);
    assert_eq!(rows, [strings(&["7,3", "7,3"]), strings(&["[1]", "[1 null]"])]);
    // 1.0 under the other spelling of its width.
    let column = flat::<Decimal128>("d:15,2,128", &[Some(Decimal128::new(100))]);
    assert_eq!(
        one("money", 1, column),
        Ok((strings(&["d:15,2"]), vec![strings(&["100"])]))
    );
}

#[test]
fn decimals_of_other_widths_are_refused_at_bind() {
    for format in ["d:9,2,32", "d:18,2,64", "d:38,2,256"] {
        let failure = one("any_decimal", 1, flat::<i64>(format, &[Some(1)]));
        let failure = failure.expect_err("an error");
        assert_eq!(failure.code, Code::NoMatch as i32);
        let text = format!(
            "column x has the type {format}, but the function reads d:* of 128 bits"
        );
        assert_eq!(failure.text, text);
    }
    let failure = one("no_input", 1, flat::<i64>("l", &[Some(1)])).expect_err("an error");
    assert!(
        failure.text.starts_with("output y: a result takes its precision"),
        "{failure:?}"
    );
}

#[test]
fn fixed_bytes_come_back_and_are_bytes() {
    comes_back::<[u8; 3]>(
        "triple",
        "w:3",
        [*b"abc", [0; 3]],
        ["[97, 98, 99]", "[0, 0, 0]"],
    );
    comes_back::<[u8; 0]>("nothing", "w:0", [[], []], ["[]", "[]"]);
    for (format, size) in [("w:3", "3"), ("w:0", "0")] {
        let column = || match size {
            "0" => flat::<[u8; 0]>(format, &[Some([]), None, Some([])]),
            _ => flat::<[u8; 3]>(format, &[Some([1; 3]), None, Some([2; 3])]),
        };
        let got = one("sizes", 3, column());
        assert_eq!(got, Ok((strings(&["i"]), vec![strings(&[size, "null", size])])));
        let got = one("sizes", 2, column().from(1)).expect("a result");
        assert_eq!(got.1, [strings(&["null", size])]);
    }
}

const LAYOUTS: [&str; 5] = ["+l", "+L", "+w:2", "+vl", "+vL"];

// Four rows: [1, null], null (whose list is not empty), [] (of 2 in a fixed-size list), [7, 8].
fn four(format: &str, items: Made) -> Made {
    let sizes = if format == "+w:2" { [2, 2, 2, 2] } else { [2, 2, 0, 4] };
    lists_of(format, &[Some(0), None, Some(0), Some(0)], &sizes, items)
}

#[test]
fn lists_of_every_layout_are_read() {
    let items = || {
        let numbers =
            [Some(1), None, Some(3), Some(4), Some(5), Some(6), Some(7), Some(8)];
        flat::<i64>("l", &numbers)
    };
    for format in LAYOUTS {
        let fixed = format == "+w:2";
        let (many, same): ([&str; 4], [&str; 4]) = if fixed {
            (["2", "null", "2", "2"], ["[1 null]", "null", "[5 6]", "[7 8]"])
        } else {
            (["2", "null", "0", "4"], ["[1 null]", "null", "[]", "[5 6 7 8]"])
        };
        for from in 0..=4 {
            let got = one("numbers", 4 - from, four(format, items()).from(from));
            let (formats, rows) = got.expect("a result");
            assert_eq!(formats, ["i", "+l(item l)", "l"]);
            assert_eq!(rows[0], strings(&many)[from..], "{format} from {from}");
            assert_eq!(rows[1], strings(&same)[from..], "{format} from {from}");
            assert_eq!(rows[2], strings(&many)[from..], "{format} from {from}");
        }
        // Items with an offset of their own, and misaligned ones.
        let sliced = flat::<i64>("l", &[Some(0); 11]).from(3);
        let (_, rows) = one("numbers", 4, four(format, sliced)).expect("a result");
        assert_eq!(rows[1][0], "[0 0]", "{format}");
        let (_, rows) =
            one("numbers", 4, four(format, items().misaligned())).expect("a result");
        assert_eq!(rows[1], same, "{format}");
        if !fixed {
            let (_, rows) =
                one("numbers", 4, four(format, items()).misaligned()).expect("rows");
            assert_eq!(rows[1], same, "{format}");
        }
        let none = lists_of(format, &[], &[], flat::<i64>("l", &[])).without_buffers();
        assert_eq!(
            one("numbers", 0, none).expect("a result").1,
            [[""; 0]; 3],
            "{format}"
        );
    }
}

#[test]
fn list_views_may_overlap_and_stand_in_any_order() {
    let items = flat::<i64>("l", &[Some(1), Some(2), Some(3)]);
    let mut lists = lists_of("+vl", &[Some(0); 3], &[2, 1, 0], items);
    for (at, offset) in [1, 0, 3].into_iter().enumerate() {
        lists = with_number(lists, 1, at, offset);
    }
    let (_, rows) = one("numbers", 3, lists).expect("a result");
    assert_eq!(rows[1], ["[2 3]", "[1]", "[]"]);
}

#[test]
fn lists_that_leave_their_items_name_the_row() {
    let items = || flat::<i64>("l", &[Some(1), Some(2), Some(3)]);
    let three = |format: &str| lists_of(format, &[Some(0); 3], &[1, 1, 1], items());
    let bad = [
        (with_number(three("+l"), 1, 1, 3), 1),
        (with_number(three("+l"), 1, 0, -1), 0),
        (with_number(three("+l"), 1, 3, 4), 2),
        (with_number(three("+vl"), 1, 2, 3), 2),
        (with_number(three("+vl"), 1, 1, -1), 1),
        (with_number(three("+vl"), 2, 0, -1), 0),
        (with_number(three("+vl"), 2, 1, i32::MAX), 1),
        (lists_of("+w:2", &[Some(0); 2], &[2, 2], items()), 1),
    ];
    for (lists, row) in bad {
        let rows = if row == 1 && matches!(lists.format(), "+w:2") { 2 } else { 3 };
        let failure = one("numbers", rows, lists).expect_err("an error");
        let text = format!("column x, row {row}: the list is outside its items");
        assert_eq!((failure.code, failure.text), (Code::BadData as i32, text));
    }
    // Of a null, nothing is followed.
    let null = lists_of("+vl", &[Some(0), None, Some(0)], &[1, 1, 1], items());
    let (_, rows) = one("numbers", 3, with_number(null, 1, 1, 99)).expect("a result");
    assert_eq!(rows[1], ["[1]", "null", "[3]"]);
}

#[test]
fn texts_in_lists_are_checked_where_a_row_reaches_them() {
    let texts = ["a", "", "longer than twelve bytes", "ö", "e", "f", "g", "h"];
    let texts: Vec<_> =
        texts.into_iter().map(|text| (text != "e").then_some(text)).collect();
    let expected = ["a+", "null", "", "-+f+g+h"];
    for layout in ["+l", "+L", "+vl", "+vL"] {
        for text in ["u", "U", "vu", "c:u", "I:vu"] {
            let lists = four(layout, list_of(text, &texts));
            assert_eq!(
                one("join", 4, lists).expect("rows").1,
                [strings(&expected)],
                "{text}"
            );
        }
        let bad = || {
            let items: [Option<&[u8]>; 3] = [Some(b"\xff"), Some(b"a"), Some(b"\xfe")];
            lists_of(layout, &[Some(0); 3], &[1, 1, 1], bytes_of("z", &items).called("u"))
        };
        let failure = one("join", 3, bad()).expect_err("an error");
        assert_eq!(failure.text, "column x, list item 0: the text is not UTF-8");
        let failure = one("join", 2, bad().from(1)).expect_err("an error");
        assert_eq!(failure.text, "column x, list item 2: the text is not UTF-8");
    }
    // The hidden parts of a slice are not read.
    let items: [Option<&[u8]>; 2] = [Some(b"\xff"), Some(b"a")];
    let lists = lists_of("+l", &[Some(0); 2], &[1, 1], bytes_of("z", &items).called("u"));
    assert_eq!(one("join", 1, lists.from(1)).expect("rows").1, [["a"]]);
}

#[test]
fn lists_of_anything_are_read() {
    let numbers = flat::<i64>("l", &[Some(1), Some(2), None, Some(4)]);
    let inner =
        lists_of("+l", &[Some(0), Some(0), None, Some(0)], &[1, 1, 0, 2], numbers);
    let outer = lists_of("+L", &[Some(0), None, Some(0)], &[2, 0, 2], inner);
    let decimals = flat::<Decimal128>("d:9,2", &[Some(Decimal128::new(1)), None]);
    let decimals = lists_of("+l", &[Some(0), Some(0), None], &[1, 1, 0], decimals);
    let flags = bits_of(&[Some(false), Some(true), None]);
    let flags = lists_of("+w:1", &[Some(0); 3], &[1, 1, 1], flags);
    let batch = Batch::new(3).add("x", outer).add("d", decimals).add("b", flags);
    let (formats, rows) = run("deep", batch).expect("a result");
    assert_eq!(formats, ["l", "+l(item d:9,2)", "b"]);
    assert_eq!(rows[0], ["3", "null", "4"]);
    assert_eq!(rows[1], ["[1]", "[]", "null"]);
    assert_eq!(rows[2], ["false", "true", "false"]);
}

#[test]
fn lists_of_other_items_are_refused_at_bind() {
    for (items, text) in [
        (flat::<i32>("i", &[Some(1)]), "column x has the type +l of i"),
        (
            list_of("c:u", &[Some("a")]),
            "column x has the type +l of c with a dictionary of u",
        ),
        (
            lists_of("+l", &[Some(0)], &[1], flat::<i64>("l", &[Some(1)])),
            "column x has the type +l of +l of l",
        ),
    ] {
        let failure = one("numbers", 1, lists_of("+l", &[Some(0)], &[1], items));
        let failure = failure.expect_err("an error");
        assert_eq!(failure.code, Code::NoMatch as i32);
        assert_eq!(failure.text, format!("{text}, but the function reads a list of l"));
    }
}

#[test]
fn structs_lists_of_them_and_dictionaries_are_built() {
    let names = [Some("Oslo"), None, Some("Å"), Some("Oslo")];
    let (formats, rows) = one_named("structs", &names).expect("a result");
    let place = "+s(name u, type u, at w:2, seen +l(item tss:UTC))";
    assert_eq!(formats, [place, &format!("+l(item {place})"), "i<u>", "c<tdD>"]);
    let oslo = "{Oslo town [1, 2] [4]}";
    let island = "{Å town [1, 2] [2]}";
    assert_eq!(rows[0], [oslo, "null", island, oslo]);
    let list = |place: &str, times| format!("[{}]", vec![place; times].join(" "));
    assert_eq!(rows[1], [&list(oslo, 4), "null", &list(island, 2), &list(oslo, 4)]);
    assert_eq!(rows[2], ["Oslo", "null", "Å", "Oslo"]);
    assert_eq!(rows[3], ["4", "null", "2", "4"]);
    let (_, rows) = one_named("structs", &[]).expect("a result");
    assert_eq!(rows, [[""; 0]; 4]);
}

fn one_named(
    name: &str,
    names: &[Option<&str>],
) -> Result<(Vec<String>, Vec<Vec<String>>), Failure> {
    run(name, Batch::new(names.len()).add("name", list_of("u", names)))
}

#[test]
fn a_dictionary_that_is_full_is_an_error() {
    let numbers = |count: i64| (0..count).map(|x| Some(x % 128)).collect::<Vec<_>>();
    let (_, rows) =
        one("too_many", 300, flat::<i64>("l", &numbers(300))).expect("a result");
    assert_eq!(rows[0][200], "72");
    let more: Vec<_> = (0..129).map(Some).collect();
    let failure = one("too_many", 129, flat::<i64>("l", &more)).expect_err("an error");
    assert_eq!(failure.code, Code::Exhausted as i32);
    assert!(failure.text.contains("index of i8"), "{failure:?}");
}

#[test]
fn a_stream_takes_the_zone_of_its_input() {
    let batch = || Batch::new(2).add("at", flat::<i64>("tsm:+01:00", &[Some(1), None]));
    let backend = Backend::load(alloy_backend_init);
    let mut call = backend.bind("lists", &[batch().schema()], &[]).expect("a call");
    assert_eq!(formats(call.schema()), ["+l(item tsm:+01:00)"]);
    let feed =
        test_host::Feed::new("x", vec![batch().array()], &test_host::Events::default());
    let mut output = call.open(vec![feed]).expect("a stream");
    let schema = output.schema().expect("a schema");
    let first = output.next_batch().expect("a batch").expect("a batch");
    assert_eq!(build::read(schema.raw(), first.raw()), [["[1 null]"]]);
}

#[test]
fn functions_of_these_types_can_be_tested_without_a_host() {
    let lists: List<View<i64>> = [Some(vec![Some(1), None]), None].into_iter().collect();
    assert_eq!(numbers(lists).0.to_vec(), [Some(2), None]);
    let moments = [Some(Timestamp::new(2_000_000)), None].into_iter().collect();
    let (zones, at) = zone(moments);
    assert_eq!(zones.get(0).as_deref(), Some("none"));
    assert_eq!(at.to_vec(), [Some(Timestamp::new(2)), None]);
    let moments: List<View<Timestamp<Second, Utc>>> =
        [Some(vec![Some(Timestamp::new(1))])].into_iter().collect();
    assert_eq!(moments.items().time_zone(), Some("UTC"));
    let flags: List<Bools> = [Some(vec![Some(true)])].into_iter().collect();
    assert_eq!(flags.get(0).and_then(|list| list.get(0)), Some(true));
    let places: Column<Place> = [
        None,
        Some(Place { name: "a".to_owned(), r#type: None, at: [0, 1], seen: vec![] }),
    ]
    .into_iter()
    .collect();
    assert_eq!(places.get(1).map(|place| place.at), Some([0, 1]));
    assert_eq!((places.get(0), places.get(2)), (None, None));
}
