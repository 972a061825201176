// SPDX-License-Identifier: MIT

// The lists of columns of a function, one list for each input: [[name accepts] ...] ... .
// NULL if there are no lists. `accepts` is a text that ends with a NUL; without it, the
// column can have any type.
#[doc(hidden)]
#[macro_export]
macro_rules! __columns {
    () => {
        ::core::ptr::null()
    };
    ($([$([$column:ident $($accepts:expr)?])*])+) => {
        const {
            use $crate::abi::{Constant, RawColumn};
            // SAFETY: the columns and their texts are constants.
            const INPUTS: &Constant<&[*const RawColumn]> = &unsafe {
                Constant::new(&[
                    $(const {
                        const COLUMNS: &Constant<&[RawColumn]> = &unsafe {
                            Constant::new(&[
                            $(RawColumn {
                                name: $crate::abi::c_name(concat!(
                                    stringify!($column),
                                    "\0"
                                )),
                                summary: $crate::abi::c_text("\0"),
                                accepts: $crate::__accepts!($($accepts)?),
                            },)*
                            RawColumn {
                                name: ::core::ptr::null(),
                                summary: ::core::ptr::null(),
                                accepts: ::core::ptr::null(),
                            },
                        ]) };
                        COLUMNS.get().as_ptr()
                    },)+
                    ::core::ptr::null(),
                ])
            };
            INPUTS.get().as_ptr()
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __accepts {
    () => {
        ::core::ptr::null()
    };
    ($accepts:expr) => {
        $crate::abi::c_text($accepts)
    };
}
