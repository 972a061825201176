// SPDX-License-Identifier: MIT

/// Makes a library a backend: lists its functions and exports its entry point.
///
/// Call it once, in the root of the crate. The fields, in this order:
///
/// - `name:` the name of the backend, such as `"acme.add"`. A signature names it too.
/// - `version:` optional. Without it, the version of the crate.
/// - `arrow:` optional, for functions on arrow-rs 55.1 or newer. The crate `arrow` (with its
///   feature `ffi`), or the path of a module that contains its parts. See
///   [`arrow_glue!`](crate::arrow_glue).
/// - `arrow2:` optional, for functions on arrow2. The path of the author's `arrow2`.
/// - `functions:` the functions that [`function!`](crate::function) declares.
///
/// ```
/// use arrowalloy::View;
///
/// arrowalloy::function! {
///     /// The sum of two numbers, null where one is.
///     fn add(x: View<f64>, y: View<f64>) -> sum: f64 {
///         x.iter().zip(y.iter()).map(|(x, y)| Some(x? + y?)).collect()
///     }
/// }
/// arrowalloy::backend! { name: "acme.add", functions: [add] }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! backend {
    (
        name: $name:expr,
        $(version: $version:expr,)?
        $(arrow: $(::)? $($arrow:ident)::+,)?
        $(arrow2: $(::)? $($arrow2:ident)::+,)?
        functions: [$($function:path),+ $(,)?] $(,)?
    ) => {
        #[cfg(panic = "abort")]
        compile_error!(
            "a backend of Alloy turns panics into errors, but panic = \"abort\" prevents that: \
             remove it from the profile"
        );

        $($crate::arrow_glue! { $($arrow)::+ })?
        $($crate::arrow2_glue! { $($arrow2)::+ })?

        /// The only export of a backend.
        ///
        /// # Safety
        ///
        /// Only the engine may call it, with its services and a scope.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn alloy_backend_init(
            services: *const $crate::abi::Services,
            scope: *mut $crate::abi::RawScope,
        ) -> *const $crate::abi::RawBackend {
            use $crate::abi::{Constant, RawBackend, RawFunction, c_text};
            // SAFETY: the tables of the functions are constants.
            static FUNCTIONS: Constant<
                [*const RawFunction; [$(stringify!($function)),+].len() + 1],
            > = unsafe {
                Constant::new([
                    $($crate::Table::<$function>::TABLE as *const RawFunction,)+
                    ::core::ptr::null(),
                ])
            };
            // SAFETY: the texts and the functions are constants.
            static BACKEND: Constant<RawBackend> = unsafe {
                Constant::new(RawBackend {
                    struct_size: ::core::mem::size_of::<RawBackend>() as u32,
                    abi: $crate::abi::ABI,
                    name: c_text(concat!($name, "\0")),
                    version: c_text($crate::__version!($($version)?)),
                    language: c_text("Rust\0"),
                    functions: FUNCTIONS.get().as_ptr(),
                })
            };
            // SAFETY: the arguments are the engine's own.
            unsafe { $crate::init(services, scope, BACKEND.get()) }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __version {
    () => {
        concat!(env!("CARGO_PKG_VERSION"), "\0")
    };
    ($version:expr) => {
        concat!($version, "\0")
    };
}
