// SPDX-License-Identifier: MIT
//! The minimum, the maximum and the sum of a column of numbers.
//!
//! It reads 64 values at a time, with their word of validity. In the common cases, all valid
//! or all null, it need not look at single bits.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, PrimitiveArray};
use arrow_schema::DataType;
use half::f16;

/// The result for a column with at least one value.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    pub min: f64,
    pub max: f64,
    pub sum: f64,
    pub count: usize,
    /// The same sum without rounding, of integers.
    whole: Option<i128>,
}

impl Numbers {
    /// Add the numbers of more rows of the same column.
    pub(crate) fn merge(&mut self, more: &Numbers) {
        // NaN is neither least nor greatest, unless it is alone.
        self.min = self.min.min(more.min);
        self.max = self.max.max(more.max);
        self.count += more.count;
        // 2^63 rows of 64 bits fit.
        self.whole = self.whole.zip(more.whole).map(|(a, b)| a + b);
        self.sum = self.whole.map_or(self.sum + more.sum, |whole| whole as f64);
    }
}

/// The result for a column; None if it does not hold numbers, or only nulls.
pub(crate) fn summarize(column: &dyn Array) -> Option<Numbers> {
    macro_rules! of {
        ($type:ty, $tally:ty) => {
            summarize_as::<$type, $tally>(column.as_primitive::<$type>())
        };
    }
    match column.data_type() {
        DataType::Int8 => of!(Int8Type, Integers<i8>),
        DataType::Int16 => of!(Int16Type, Integers<i16>),
        DataType::Int32 => of!(Int32Type, Integers<i32>),
        DataType::Int64 => of!(Int64Type, Integers<i64>),
        DataType::UInt8 => of!(UInt8Type, Integers<u8>),
        DataType::UInt16 => of!(UInt16Type, Integers<u16>),
        DataType::UInt32 => of!(UInt32Type, Integers<u32>),
        DataType::UInt64 => of!(UInt64Type, Integers<u64>),
        DataType::Float16 => of!(Float16Type, Floats),
        DataType::Float32 => of!(Float32Type, Floats),
        DataType::Float64 => of!(Float64Type, Floats),
        _ => None,
    }
}

fn summarize_as<T: ArrowPrimitiveType, S: Tally<T::Native>>(
    column: &PrimitiveArray<T>,
) -> Option<Numbers> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function was compiled for.
        return unsafe { summarize_avx2::<T, S>(column) };
    }
    summarize_any::<T, S>(column)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn summarize_avx2<T: ArrowPrimitiveType, S: Tally<T::Native>>(
    column: &PrimitiveArray<T>,
) -> Option<Numbers> {
    summarize_any::<T, S>(column)
}

#[inline(always)]
fn summarize_any<T: ArrowPrimitiveType, S: Tally<T::Native>>(
    column: &PrimitiveArray<T>,
) -> Option<Numbers> {
    let mut tally = S::default();
    let values = column.values();
    match column.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => tally.dense(values),
        Some(nulls) => {
            let words = nulls.inner().bit_chunks();
            let words = words.iter().chain([words.remainder_bits()]);
            for (part, word) in values.chunks(64).zip(words) {
                if word == u64::MAX {
                    tally.dense(part);
                } else {
                    tally.sparse(part, word);
                }
            }
        }
    }
    let count = column.len() - column.null_count();
    (count > 0).then(|| tally.numbers(count))
}

trait Tally<N>: Default {
    /// Add all values.
    fn dense(&mut self, values: &[N]);
    /// Add the values whose bit is set.
    fn sparse(&mut self, values: &[N], bits: u64);
    /// The result, after at least one value.
    fn numbers(&self, count: usize) -> Numbers;
}

/// Integers add up without rounding: the upper and the lower halves are added separately.
/// Neither sum overflows within 2^31 values of 64 bits; then the lower one is carried.
struct Integers<N> {
    min: N,
    max: N,
    sum: i128,
}

trait Integer: Copy + Ord {
    const LEAST: Self;
    const GREATEST: Self;
    fn upper(self) -> i64;
    fn lower(self) -> u64;
    fn to_f64(self) -> f64;
}

macro_rules! integers {
    ($($type:ty),*) => {
        $(impl Integer for $type {
            const LEAST: Self = <$type>::MIN;
            const GREATEST: Self = <$type>::MAX;
            #[inline(always)]
            fn upper(self) -> i64 {
                (i128::from(self) >> 32) as i64
            }
            #[inline(always)]
            fn lower(self) -> u64 {
                (self as u64) & 0xffff_ffff
            }
            fn to_f64(self) -> f64 {
                self as f64
            }
        })*
    };
}

integers!(i8, i16, i32, i64, u8, u16, u32, u64);

impl<N: Integer> Default for Integers<N> {
    fn default() -> Self {
        Self { min: N::GREATEST, max: N::LEAST, sum: 0 }
    }
}

impl<N: Integer> Integers<N> {
    #[inline(always)]
    fn add(&mut self, values: impl Iterator<Item = N>) {
        let (mut min, mut max) = (self.min, self.max);
        let (mut upper, mut lower) = (0i64, 0u64);
        for value in values {
            min = min.min(value);
            max = max.max(value);
            upper += value.upper();
            lower += value.lower();
        }
        (self.min, self.max) = (min, max);
        self.sum += (i128::from(upper) << 32) + i128::from(lower);
    }
}

impl<N: Integer> Tally<N> for Integers<N> {
    #[inline(always)]
    fn dense(&mut self, values: &[N]) {
        for part in values.chunks(1 << 30) {
            self.add(part.iter().copied());
        }
    }

    #[inline(always)]
    fn sparse(&mut self, values: &[N], bits: u64) {
        self.add(Bits(bits).map(|index| values[index]));
    }

    fn numbers(&self, count: usize) -> Numbers {
        let (min, max) = (self.min.to_f64(), self.max.to_f64());
        Numbers { min, max, sum: self.sum as f64, count, whole: Some(self.sum) }
    }
}

const LANES: usize = 8;

/// Floats add up in lanes of double precision. NaN makes the sum NaN. The minimum and the
/// maximum ignore it, unless all values are NaN.
#[derive(Clone, Copy)]
struct Floats {
    min: [f64; LANES],
    max: [f64; LANES],
    sum: [f64; LANES],
}

impl Default for Floats {
    fn default() -> Self {
        Self {
            min: [f64::INFINITY; LANES],
            max: [f64::NEG_INFINITY; LANES],
            sum: [0.0; LANES],
        }
    }
}

impl Floats {
    #[inline(always)]
    fn add(&mut self, lane: usize, value: f64) {
        // A comparison with NaN is false, so the old value stays.
        self.min[lane] = if value < self.min[lane] { value } else { self.min[lane] };
        self.max[lane] = if value > self.max[lane] { value } else { self.max[lane] };
        self.sum[lane] += value;
    }
}

trait Float: Copy {
    fn to_f64(self) -> f64;
}

impl Float for f16 {
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f16::to_f64(self)
    }
}

impl Float for f32 {
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Float for f64 {
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
}

impl<N: Float> Tally<N> for Floats {
    #[inline(always)]
    fn dense(&mut self, values: &[N]) {
        let mut tally = *self;
        let mut parts = values.chunks_exact(LANES);
        for part in &mut parts {
            for (lane, value) in part.iter().enumerate() {
                tally.add(lane, value.to_f64());
            }
        }
        for (lane, value) in parts.remainder().iter().enumerate() {
            tally.add(lane, value.to_f64());
        }
        *self = tally;
    }

    #[inline(always)]
    fn sparse(&mut self, values: &[N], bits: u64) {
        for index in Bits(bits) {
            self.add(index % LANES, values[index].to_f64());
        }
    }

    fn numbers(&self, count: usize) -> Numbers {
        let min = self.min.iter().copied().fold(f64::INFINITY, f64::min);
        let max = self.max.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum = self.sum.iter().sum();
        let (min, max) = if min > max { (f64::NAN, f64::NAN) } else { (min, max) };
        Numbers { min, max, sum, count, whole: None }
    }
}

/// The indices of the bits that are set.
struct Bits(u64);

impl Iterator for Bits {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let index = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{Float64Array, Int64Array, StringArray, UInt64Array};

    impl PartialEq for Numbers {
        fn eq(&self, other: &Self) -> bool {
            (self.min, self.max, self.sum, self.count)
                == (other.min, other.max, other.sum, other.count)
        }
    }

    fn numbers(min: f64, max: f64, sum: f64, count: usize) -> Option<Numbers> {
        Some(Numbers { min, max, sum, count, whole: None })
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let values: Vec<i64> = (0..1000).map(|i| i64::MAX - i * i).collect();
        let whole = summarize(&Int64Array::from(values.clone()));
        let mut merged: Option<Numbers> = None;
        for part in values.chunks(7) {
            let part = summarize(&Int64Array::from(part.to_vec())).unwrap();
            match &mut merged {
                Some(numbers) => numbers.merge(&part),
                None => merged = Some(part),
            }
        }
        assert_eq!(merged, whole);
        let mut nan = summarize(&Float64Array::from(vec![f64::NAN])).unwrap();
        nan.merge(&summarize(&Float64Array::from(vec![2.0])).unwrap());
        assert_eq!((nan.min, nan.max, nan.count), (2.0, 2.0, 2));
        assert!(nan.sum.is_nan());
    }

    #[test]
    fn integers_add_up_beyond_64_bits() {
        let column = UInt64Array::from(vec![u64::MAX; 3]);
        let top = u64::MAX as f64;
        assert_eq!(summarize(&column), numbers(top, top, 3.0 * top, 3));
        let column = Int64Array::from(vec![i64::MIN, i64::MIN, -1]);
        let low = i64::MIN as f64;
        assert_eq!(summarize(&column), numbers(low, -1.0, 2.0 * low - 1.0, 3));
    }

    #[test]
    fn nulls_stay_out_wherever_they_are() {
        let column: Int64Array = (0..1000)
            .map(|i| (i % 7 != 0 && !(64..256).contains(&i)).then_some(i))
            .collect();
        for (offset, len) in [(0, 1000), (1, 999), (63, 300), (500, 1), (497, 1)] {
            let part = column.slice(offset, len);
            let there: Vec<i64> = part.iter().flatten().collect();
            let expected = there.iter().min().map(|min| Numbers {
                min: *min as f64,
                max: *there.iter().max().unwrap() as f64,
                sum: there.iter().sum::<i64>() as f64,
                count: there.len(),
                whole: None,
            });
            assert_eq!(summarize(&part), expected, "{offset} {len}");
        }
    }

    #[test]
    fn nan_is_neither_least_nor_greatest_unless_alone() {
        let column = Float64Array::from(vec![f64::NAN, 2.0, f64::NAN, -1.0]);
        let got = summarize(&column).unwrap();
        assert_eq!((got.min, got.max), (-1.0, 2.0));
        assert!(got.sum.is_nan());
        let got = summarize(&Float64Array::from(vec![f64::NAN])).unwrap();
        assert!(got.min.is_nan() && got.max.is_nan());
        let got = summarize(&Float64Array::from(vec![f64::INFINITY])).unwrap();
        assert_eq!((got.min, got.max), (f64::INFINITY, f64::INFINITY));
    }

    #[test]
    fn what_has_no_numbers_gives_none() {
        assert_eq!(summarize(&StringArray::from(vec!["a"])), None);
        assert_eq!(summarize(&Int64Array::from(vec![None, None])), None);
        assert_eq!(summarize(&Int64Array::from(Vec::<i64>::new())), None);
    }
}
