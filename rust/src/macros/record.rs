// SPDX-License-Identifier: MIT

/// Declares a struct whose values a column of structs holds, with a field for each child.
///
/// A field is any type that a column can hold, or an `Option` of one for nulls.
///
/// ```
/// use arrowalloy::{Column, View};
///
/// arrowalloy::record! {
///     /// A point of the plane.
///     #[derive(Clone, Debug, PartialEq)]
///     pub struct Point { pub x: f64, pub y: Option<f64>, pub tags: Vec<String> }
/// }
///
/// arrowalloy::function! {
///     /// The points on a line.
///     fn line(x: View<f64>) -> point: Point {
///         let points = x.iter().map(|x| {
///             Some(Point { x: x?, y: x.map(|x| 2.0 * x), tags: vec!["line".to_owned()] })
///         });
///         points.collect()
///     }
/// }
/// # arrowalloy::backend! { name: "acme.line", functions: [line] }
/// # fn main() {
/// let points = line([Some(1.0), None].into_iter().collect());
/// assert_eq!(points.get(0).map(|point| point.y), Some(Some(2.0)));
/// assert_eq!(points.get(1), None);
/// # }
/// ```
#[macro_export]
macro_rules! record {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)+
        }

        const _: () = {
            #[allow(non_camel_case_types)]
            #[derive(Default)]
            pub struct Store<$($field),+> {
                $($field: $field,)+
            }

            // SAFETY: each field is a column, which exports itself.
            unsafe impl $crate::Value for $name {
                type Store =
                    Store<$($crate::Column<<$type as $crate::Item>::Of>),+>;
                const CHILDREN: usize = [$(stringify!($field)),+].len();

                fn data_type() -> $crate::Type {
                    $crate::Type::structure(::std::vec![$($crate::Field::new(
                        $crate::typed::name(stringify!($field)),
                        $crate::Type::of::<<$type as $crate::Item>::Of>(),
                    )),+])
                }

                fn push(store: &mut Self::Store, value: ::core::option::Option<Self>) {
                    match value {
                        Some(value) => {
                            $(store.$field.push($crate::Item::into_option(value.$field));)+
                        }
                        None => {
                            $(store.$field.push(None);)+
                        }
                    }
                }

                fn get(store: &Self::Store, index: usize) -> Self {
                    Self {
                        $($field: <$type as $crate::Item>::from_option(
                            store.$field.get(index),
                        ).expect("a row that is not null has its fields"),)+
                    }
                }

                fn export(
                    store: &Self::Store,
                    exporter: &mut $crate::Exporter,
                ) -> ::core::result::Result<(), $crate::Error> {
                    $(store.$field.export(exporter)?;)+
                    Ok(())
                }
            }
        };
    };
}
