// SPDX-License-Identifier: MIT
//! The functions seen from a host, on rows made by hand and by a seed.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, from_ffi, to_ffi};
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, Date32Array, Decimal128Array, LargeStringArray, RecordBatch,
    StringArray, StringViewArray, StructArray,
};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{DataType, Schema};
use arrowalloy::abi::{ArrowArray, ArrowSchema};
use arrowalloy::{OwnedArray, OwnedSchema};
use test_host::{Backend, Events, Feed};

use crate::alloy_backend_init;
use crate::decimals::{MONEY, RATE, average, average_of_sum, beyond};

// A row in hundredths and days; None: null.
#[derive(Clone, Debug)]
struct Line {
    quantity: Option<i128>,
    price: Option<i128>,
    discount: Option<i128>,
    tax: Option<i128>,
    flag: Option<String>,
    status: Option<String>,
    day: Option<i32>,
}

fn line(numbers: [i128; 4], flag: &str, status: &str, day: i32) -> Line {
    let [quantity, price, discount, tax] = numbers.map(Some);
    let (flag, status) = (Some(flag.to_owned()), Some(status.to_owned()));
    Line { quantity, price, discount, tax, flag, status, day: Some(day) }
}

#[derive(Clone, Copy, Debug)]
enum Layout {
    Views,
    Small,
    Large,
}

fn decimals(values: impl Iterator<Item = Option<i128>>) -> ArrayRef {
    let array = values.collect::<Decimal128Array>();
    Arc::new(array.with_data_type(DataType::Decimal128(15, 2)))
}

fn flags<'a>(layout: Layout, values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    match layout {
        Layout::Views => Arc::new(values.collect::<StringViewArray>()),
        Layout::Small => Arc::new(values.collect::<StringArray>()),
        Layout::Large => Arc::new(values.collect::<LargeStringArray>()),
    }
}

// In the order in which the function declares them, as the engine passes them.
fn batch(function: &str, layout: Layout, lines: &[Line]) -> RecordBatch {
    let days: ArrayRef = Arc::new(lines.iter().map(|l| l.day).collect::<Date32Array>());
    let mut columns = vec![
        ("l_quantity", decimals(lines.iter().map(|l| l.quantity))),
        ("l_extendedprice", decimals(lines.iter().map(|l| l.price))),
        ("l_discount", decimals(lines.iter().map(|l| l.discount))),
    ];
    if function == "q1" {
        columns.push(("l_tax", decimals(lines.iter().map(|l| l.tax))));
        let flag = flags(layout, lines.iter().map(|l| l.flag.as_deref()));
        columns.push(("l_returnflag", flag));
        let status = flags(layout, lines.iter().map(|l| l.status.as_deref()));
        columns.push(("l_linestatus", status));
    }
    columns.push(("l_shipdate", days));
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns).expect("a batch")
}

fn run(
    function: &str,
    layout: Layout,
    batches: &[&[Line]],
) -> Result<RecordBatch, String> {
    let schema = batch(function, layout, &[]).schema();
    let schema =
        ManuallyDrop::new(FFI_ArrowSchema::try_from(schema.as_ref()).expect("a schema"));
    // SAFETY: the same C struct, moved over.
    let schema = unsafe {
        OwnedSchema::from_raw((&raw const *schema).cast::<ArrowSchema>().read())
    };
    let mut call =
        Backend::load(alloy_backend_init).bind(function, &[schema], &[]).expect("a call");
    let batches = batches.iter().map(|lines| {
        // A slice in the middle of more, so that offsets are at work.
        let mut more =
            vec![lines.first().cloned(); 3].into_iter().flatten().collect::<Vec<_>>();
        let skipped = more.len();
        more.extend_from_slice(lines);
        let batch = batch(function, layout, &more).slice(skipped, lines.len());
        let data = StructArray::from(batch).to_data();
        let array = ManuallyDrop::new(to_ffi(&data).expect("an array").0);
        // SAFETY: the same C struct, moved over.
        unsafe { OwnedArray::take(&mut (&raw const *array).cast::<ArrowArray>().read()) }
    });
    let feed = Feed::new("lineitem", batches.collect(), &Events::default());
    let mut output = call.open(vec![feed]).expect("a stream");
    let result = output.next_batch().map_err(|failure| failure.text)?.expect("a batch");
    assert!(output.next_batch().expect("no failure").is_none());
    let array = ManuallyDrop::new(result.into_raw());
    // SAFETY: the same C structs; the array is moved over, the schema borrowed.
    let data = unsafe {
        let array = (&raw const *array).cast::<FFI_ArrowArray>().read();
        let schema = std::ptr::from_ref(output.call().schema());
        from_ffi(array, &*schema.cast::<FFI_ArrowSchema>())
    };
    let data = data.expect("an array");
    data.validate_full().expect("a valid array");
    Ok(RecordBatch::from(StructArray::from(data)))
}

type Group = (Option<String>, Option<String>, [Option<i128>; 4], [Option<f64>; 3], i64);

fn groups(result: &RecordBatch) -> Vec<Group> {
    let text = |column: usize, row: usize| {
        let column = result.column(column).as_string::<i32>();
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    let decimal = |column: usize, row: usize| {
        let column = result.column(column).as_primitive::<Decimal128Type>();
        column.is_valid(row).then(|| column.value(row))
    };
    let double = |column: usize, row: usize| {
        let column = result.column(column).as_primitive::<Float64Type>();
        column.is_valid(row).then(|| column.value(row))
    };
    let counts = result.column(9).as_primitive::<Int64Type>();
    (0..result.num_rows())
        .map(|row| {
            let sums = [2, 3, 4, 5].map(|column| decimal(column, row));
            let averages = [6, 7, 8].map(|column| double(column, row));
            (text(0, row), text(1, row), sums, averages, counts.value(row))
        })
        .collect()
}

fn revenue(batches: &[&[Line]]) -> Result<Option<i128>, String> {
    let result = run("q6", Layout::Views, batches)?;
    let column = result.column(0).as_primitive::<Decimal128Type>();
    assert_eq!(column.len(), 1);
    Ok(column.is_valid(0).then(|| column.value(0)))
}

const IN_1994: i32 = 8_900;

#[test]
fn the_report_is_what_one_works_out_by_hand() {
    let lines = [
        // 10 pieces for 1000.00, 5 % off, 8 % tax: 950.0000, 1026.000000.
        line([1_000, 100_000, 5, 8], "R", "F", IN_1994),
        // 1 piece for 0.01, nothing off, nothing added.
        line([100, 1, 0, 0], "A", "F", 10_471),
        // A day too late.
        line([9_999, 9_999, 9, 9], "A", "F", 10_472),
        line([200, 300, 100, 0], "R", "F", 0),
    ];
    for layout in [Layout::Views, Layout::Small, Layout::Large] {
        let result = run("q1", layout, &[&lines[..2], &lines[2..]]).expect("a report");
        let text = |text: &str| Some(text.to_owned());
        let expected: [Group; 2] = [
            (
                text("A"),
                text("F"),
                [Some(100), Some(1), Some(100), Some(10_000)],
                [Some(1.0), Some(0.01), Some(0.0)],
                1,
            ),
            (
                text("R"),
                text("F"),
                [Some(1_200), Some(100_300), Some(9_500_000), Some(1_026_000_000)],
                [Some(6.0), Some(501.5), Some(0.525)],
                2,
            ),
        ];
        assert_eq!(groups(&result), expected, "{layout:?}");
        let types: Vec<_> =
            result.columns().iter().map(|column| column.data_type().clone()).collect();
        let decimal = |scale| DataType::Decimal128(38, scale);
        assert_eq!(types[..2], [DataType::Utf8, DataType::Utf8]);
        assert_eq!(types[2..6], [decimal(2), decimal(2), decimal(4), decimal(6)]);
        assert!(types[6..9].iter().all(|of| *of == DataType::Float64));
        assert_eq!(types[9], DataType::Int64);
    }
}

#[test]
fn the_revenue_is_what_one_works_out_by_hand() {
    let lines = [
        line([2_399, 1_000, 5, 0], "", "", 8_766),
        line([100, 2_000, 7, 0], "", "", 9_130),
        line([100, 9_999, 4, 0], "", "", IN_1994),
        line([100, 9_999, 8, 0], "", "", IN_1994),
        line([2_400, 9_999, 6, 0], "", "", IN_1994),
        line([100, 9_999, 6, 0], "", "", 8_765),
        line([100, 9_999, 6, 0], "", "", 9_131),
    ];
    assert_eq!(revenue(&[&lines[..3], &lines[3..]]), Ok(Some(19_000)));
    assert_eq!(revenue(&[&lines[2..]]), Ok(None));
}

#[test]
fn of_no_rows_there_is_no_group_and_no_revenue() {
    assert!(groups(&run("q1", Layout::Views, &[]).expect("a report")).is_empty());
    assert!(groups(&run("q1", Layout::Small, &[&[]]).expect("a report")).is_empty());
    assert_eq!(revenue(&[]), Ok(None));
}

#[test]
fn nulls_are_as_sql_has_them() {
    let full = line([100, 200, 10, 5], "N", "O", 0);
    let lines = [
        Line { discount: None, ..full.clone() },
        Line { tax: None, ..full.clone() },
        Line { day: None, ..full.clone() },
        Line { status: None, quantity: None, ..full.clone() },
        Line { flag: None, ..full.clone() },
    ];
    let result = run("q1", Layout::Views, &[&lines]).expect("a report");
    let text = |text: &str| Some(text.to_owned());
    let expected: [Group; 3] = [
        (
            text("N"),
            text("O"),
            [Some(200), Some(400), Some(18_000), None],
            [Some(1.0), Some(2.0), Some(0.1)],
            2,
        ),
        (
            text("N"),
            None,
            [None, Some(200), Some(18_000), Some(1_890_000)],
            [None, Some(2.0), Some(0.1)],
            1,
        ),
        (
            None,
            text("O"),
            [Some(100), Some(200), Some(18_000), Some(1_890_000)],
            [Some(1.0), Some(2.0), Some(0.1)],
            1,
        ),
    ];
    assert_eq!(groups(&result), expected);
    let wanted = line([100, 200, 6, 0], "", "", IN_1994);
    let with_null = Line { price: None, ..wanted.clone() };
    assert_eq!(revenue(&[std::slice::from_ref(&with_null)]), Ok(None));
    assert_eq!(revenue(&[&[with_null, wanted]]), Ok(Some(1_200)));
}

#[test]
fn flags_may_be_longer_and_many() {
    let mut lines: Vec<Line> = (0..100u8)
        .map(|n| line([100; 4], &char::from(n + 20).to_string(), "x", 0))
        .collect();
    lines.push(line([100; 4], "a flag of more than twelve bytes", "x", 0));
    lines.push(line([100; 4], "", "é", 0));
    for layout in [Layout::Views, Layout::Small, Layout::Large] {
        let result =
            run("q1", layout, &[&lines, &lines[..50], &lines]).expect("a report");
        let groups = groups(&result);
        assert_eq!(groups.len(), 102, "{layout:?}");
        assert!(
            groups.is_sorted_by(|one, other| (&one.0, &one.1) < (&other.0, &other.1))
        );
        let rows: i64 = groups.iter().map(|group| group.4).sum();
        assert_eq!(rows, 254, "{layout:?}");
    }
}

#[test]
fn great_numbers_are_exact_and_never_wrap() {
    let most = 10i128.pow(15) - 1;
    let rate = 10i128.pow(8);
    let lines = [
        line([most, most, -rate, rate], "A", "F", 0),
        line([100, 100, 0, 0], "A", "F", 0),
    ];
    let result = run("q1", Layout::Views, &[&lines, &lines[1..]]).expect("a report");
    let discounted = most * (100 + rate);
    let expected = [
        most + 200,
        most + 200,
        discounted + 20_000,
        discounted * (100 + rate) + 2_000_000,
    ];
    assert_eq!(groups(&result)[0].2, expected.map(Some));

    let huge = 10i128.pow(37);
    let over = [line([huge; 4], "A", "F", 0)];
    let error = run("q1", Layout::Views, &[&over]).expect_err("an overflow");
    assert!(error.ends_with("overflows a decimal of 38 digits"), "{error}");
    let products = vec![line([100, 10i128.pow(37), 6, 0], "", "", IN_1994); 2];
    let error = revenue(&[&products]).expect_err("an overflow");
    assert_eq!(error, "revenue overflows a decimal of 38 digits");
}

// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> i128 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        i128::from((self.0 >> 33) % limit)
    }

    // As the generator of TPC-H draws them, one in `odd` of a size that it never has.
    fn line(&mut self, odd: u64) -> Line {
        let scale = if self.below(odd) == 0 { 1 << 40 } else { 1 };
        let numbers = [
            100 * (1 + self.below(50)),
            (90_000 + self.below(10_000_000)) * scale,
            self.below(11),
            self.below(9),
        ];
        let flag = ["A", "N", "R"][self.below(3) as usize];
        let status = ["F", "O"][self.below(2) as usize];
        line(numbers, flag, status, 8_036 + self.below(2_526) as i32)
    }
}

#[test]
fn random_rows_add_up_as_a_naive_program_says() {
    let mut random = Random(20);
    let lengths = [5_000, 0, 1, 1_023, 1_024, 1_025, 4_096];
    let batches: Vec<Vec<Line>> = lengths
        .iter()
        .map(|length| (0..*length).map(|_| random.line(2_000)).collect())
        .collect();
    let mut naive = BTreeMap::<(String, String), ([i128; 5], u64)>::new();
    let mut cost = 0;
    for line in batches.iter().flatten() {
        let [quantity, price, discount, tax] =
            [line.quantity, line.price, line.discount, line.tax].map(Option::unwrap);
        let (flag, status) = (line.flag.clone().unwrap(), line.status.clone().unwrap());
        let day = line.day.unwrap();
        if day <= 10_471 {
            let (sums, count) = naive.entry((flag, status)).or_default();
            let discounted = price * (100 - discount);
            let values =
                [quantity, price, discounted, discounted * (100 + tax), discount];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            *count += 1;
        }
        if (8_766..9_131).contains(&day)
            && (5..=7).contains(&discount)
            && quantity < 2_400
        {
            cost += price * discount;
        }
    }
    let expected: Vec<Group> = naive
        .into_iter()
        .map(|((flag, status), (sums, count))| {
            let averages = [
                average_of_sum((sums[0], count)),
                average_of_sum((sums[1], count)),
                average((sums[4], count)),
            ];
            let all = [sums[0], sums[1], sums[2], sums[3]].map(Some);
            (Some(flag), Some(status), all, averages, count as i64)
        })
        .collect();
    assert_eq!(expected.len(), 6);
    let batches: Vec<&[Line]> = batches.iter().map(Vec::as_slice).collect();
    for layout in [Layout::Views, Layout::Small] {
        let result = run("q1", layout, &batches).expect("a report");
        assert_eq!(groups(&result), expected, "{layout:?}");
    }
    assert_eq!(revenue(&batches), Ok(Some(cost)));
}

#[test]
fn the_columns_are_declared_for_readers() {
    let declared = |function| {
        let table = Backend::load(alloy_backend_init).function(function);
        // SAFETY: one list, which ends with a NULL name.
        unsafe {
            let mut column = *table.columns;
            let mut names = Vec::new();
            while !(*column).name.is_null() {
                let text = |text| CStr::from_ptr(text).to_str().expect("UTF-8");
                names.push((text((*column).name), text((*column).accepts)));
                column = column.add(1);
            }
            names
        }
    };
    for function in ["q1", "q6"] {
        let batch = batch(function, Layout::Views, &[]);
        let schema: &Schema = batch.schema_ref();
        let names: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        let declared: Vec<_> =
            declared(function).into_iter().map(|(name, _)| name).collect();
        assert_eq!(declared, names);
    }
    assert_eq!(declared("q6")[3], ("l_shipdate", "tdD"));
}

#[test]
fn of_nothing_there_is_none() {
    for average in [average, average_of_sum] {
        assert_eq!(average((0, 0)), None);
        assert_eq!(average((0, 3)), Some(0.0));
    }
}

#[test]
fn small_ones_are_what_a_division_says() {
    for average in [average, average_of_sum] {
        assert_eq!(average((255, 1)), Some(2.55));
        assert_eq!(average((-100, 3)), Some(-1.0 / 3.0));
        assert_eq!(average((10, 100)), Some(0.001));
        assert_eq!(average((i128::from(u64::MAX) * 100, 1)), Some(u64::MAX as f64));
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn alone_it_is_rounded_twice_as_duckdb_does() {
    // What DuckDB 2.0 says of such decimals; rounding once gives 4371956434342.765 and
    // 5628108359303.919.
    assert_eq!(average((522_448_793_903_960_463, 1_195)), Some(4_371_956_434_342.765_6));
    assert_eq!(average((386_651_044_284_179_198, 687)), Some(5_628_108_359_303.918));
}

#[test]
fn beside_a_sum_it_is_divided_as_a_double() {
    // What DuckDB 2.0 says of 930667690940194124 hundredths as a double: above 2^53 a
    // quotient of doubles would miss it.
    assert_eq!(
        average_of_sum((930_667_690_940_194_124, 1)),
        Some(9_306_676_909_401_942.0)
    );
    assert_eq!(average_of_sum((1_303_459_222, 353)), Some(36_925.190_424_929_184));
    assert_eq!(average((1_303_459_222, 353)), Some(36_925.190_424_929_18));
}

#[test]
fn what_is_too_great_for_the_fast_way_is_noticed() {
    for value in [0, 1, 127, -128] {
        assert_eq!((beyond(RATE, value), beyond(MONEY, value)), (0, 0), "{value}");
    }
    for value in [128, -129, 1 << 33, 1 << 63, 1 << 64, (1 << 64) + 5, i128::MIN] {
        assert_ne!(beyond(RATE, value), 0, "{value}");
    }
    for value in [(1 << 34) - 1, -(1 << 34)] {
        assert_eq!(beyond(MONEY, value), 0, "{value}");
    }
    for value in [1 << 34, -(1 << 34) - 1, 1 << 64, -(1 << 64), i128::MAX] {
        assert_ne!(beyond(MONEY, value), 0, "{value}");
    }
}
