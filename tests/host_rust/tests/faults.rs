// SPDX-License-Identifier: MIT
//! Every fault case through the Rust host: as an input, and as a result.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::null;

use arrowalloy::abi::{ArrowArray, ArrowSchema};
use arrowalloy::host::{Bridge, BridgeOptions, Call, CheckInputs, Code, Error, Side};
use arrowalloy::{OwnedArray, OwnedSchema};
use host_tests::{build, open};

#[repr(C)]
struct Case {
    name: *const c_char,
    kind: i32,
    code: i32,
    reason: i32,
    column: i32,
    level: u32,
}

const ARRAY: i32 = 0;
const SCHEMA: i32 = 1;
const ANY_FORMAT: i32 = -1;
const ANY_COLUMN: i32 = -2;

enum RawTree {}

unsafe extern "C" {
    fn dlopen(path: *const c_char, flags: i32) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

// The functions of tests/faults/faults.h.
struct Faults {
    count: unsafe extern "C" fn() -> i64,
    at: unsafe extern "C" fn(i64) -> *const Case,
    new: unsafe extern "C" fn(*const c_char) -> *mut RawTree,
    free: unsafe extern "C" fn(*mut RawTree),
    array: unsafe extern "C" fn(*mut RawTree) -> *mut ArrowArray,
    schema: unsafe extern "C" fn(*mut RawTree) -> *mut ArrowSchema,
    release_schema: unsafe extern "C" fn(*mut RawTree),
    releases: unsafe extern "C" fn(*mut RawTree) -> i32,
}

impl Faults {
    // The fields of Faults state the types once.
    #[allow(clippy::missing_transmute_annotations)]
    fn load() -> Self {
        let path = build().join("tests/liballoy_faults.so");
        let path = CString::new(path.to_str().expect("a path in UTF-8")).expect("no NUL");
        // SAFETY: 2 is RTLD_NOW. The types are those of the header.
        unsafe {
            let library = dlopen(path.as_ptr(), 2);
            assert!(!library.is_null(), "build the target alloy_faults: {path:?}");
            let find = |name: &CStr| {
                let found = dlsym(library, name.as_ptr());
                assert!(!found.is_null(), "{name:?}");
                found
            };
            Self {
                count: std::mem::transmute::<*mut c_void, _>(find(c"fault_count")),
                at: std::mem::transmute::<*mut c_void, _>(find(c"fault_at")),
                new: std::mem::transmute::<*mut c_void, _>(find(c"fault_tree_new")),
                free: std::mem::transmute::<*mut c_void, _>(find(c"fault_tree_free")),
                array: std::mem::transmute::<*mut c_void, _>(find(c"fault_tree_array")),
                schema: std::mem::transmute::<*mut c_void, _>(find(c"fault_tree_schema")),
                release_schema: std::mem::transmute::<*mut c_void, _>(find(
                    c"fault_tree_release_schema",
                )),
                releases: std::mem::transmute::<*mut c_void, _>(find(
                    c"fault_tree_releases",
                )),
            }
        }
    }

    fn tree(&self, case: Option<&Case>) -> Tree<'_> {
        // SAFETY: the name is of a case.
        let raw = unsafe { (self.new)(case.map_or(null(), |case| case.name)) };
        assert!(!raw.is_null());
        Tree { faults: self, raw }
    }

    fn each(&self, kind: i32, attempt: impl Fn(&Case, &str)) {
        let mut count = 0;
        // SAFETY: the cases are constants.
        unsafe {
            for index in 0..(self.count)() {
                let case = &*(self.at)(index);
                if case.kind == kind {
                    count += 1;
                    attempt(
                        case,
                        CStr::from_ptr(case.name).to_str().expect("an identifier"),
                    );
                }
            }
        }
        assert!(count > 30, "only {count} cases");
    }
}

struct Tree<'f> {
    faults: &'f Faults,
    raw: *mut RawTree,
}

impl Tree<'_> {
    fn array(&self) -> OwnedArray {
        // SAFETY: moved out of the tree. The case may be malformed: that is the point.
        unsafe { OwnedArray::take(&mut *(self.faults.array)(self.raw)) }
    }

    fn bind(
        &self,
        bridge: &Bridge,
        function: &str,
        options: &[(&str, &str)],
    ) -> Result<Call, Error> {
        // SAFETY: lent, and not released here: the tree does that.
        let schema = unsafe {
            let schema = std::ptr::read((self.faults.schema)(self.raw));
            std::mem::ManuallyDrop::new(OwnedSchema::from_raw(schema))
        };
        Call::bind(bridge, function, &[&schema], options)
    }

    fn releases(&self) -> i32 {
        // SAFETY: the tree is valid.
        unsafe { (self.faults.releases)(self.raw) }
    }
}

impl Drop for Tree<'_> {
    fn drop(&mut self) {
        // SAFETY: all arrays that were moved out are released.
        unsafe {
            (self.faults.release_schema)(self.raw);
            (self.faults.free)(self.raw);
        }
    }
}

fn run(call: &mut Call, tree: &Tree<'_>) -> Result<(), Error> {
    let mut inputs = [tree.array()];
    // SAFETY: no case has buffers that are shorter than its struct implies.
    let result = unsafe { call.run(&mut inputs) };
    assert!(inputs[0].raw().release.is_none(), "an input is taken");
    result.map(drop)
}

fn check<T>(
    case: &Case,
    name: &str,
    result: Result<T, Error>,
    input: Option<usize>,
    side: Side,
) {
    let error = match result {
        Ok(_) => return assert_eq!(case.code, 0, "{name}: no error"),
        Err(error) => error,
    };
    assert_eq!(case.code, error.code() as i32, "{name}: {error:?}");
    assert_eq!(error.code(), Code::BadData, "{name}: {error:?}");
    if case.reason == ANY_FORMAT {
        assert!(
            ["FORMAT_UNKNOWN", "FORMAT_PARAMETER"].contains(&error.reason_name()),
            "{name}: {error:?}"
        );
    } else {
        assert_eq!(error.reason(), case.reason, "{name}: {error:?}");
    }
    if case.column != ANY_COLUMN {
        assert_eq!(
            error.column(),
            usize::try_from(case.column).ok(),
            "{name}: {error:?}"
        );
    }
    assert_eq!((error.input(), error.side()), (input, side), "{name}: {error:?}");
}

// The next call succeeds, and its input is released once.
fn serves(faults: &Faults, bridge: &Bridge, function: &str, options: &[(&str, &str)]) {
    let good = faults.tree(None);
    let mut call = good.bind(bridge, function, options).expect("a valid schema");
    run(&mut call, &good).expect("a valid batch");
    assert_eq!(good.releases(), 1);
}

#[test]
fn arrays_as_inputs() {
    let faults = Faults::load();
    faults.each(ARRAY, |case, name| {
        let check_inputs = match case.level {
            0 | 1 => CheckInputs::Shape,
            2 => CheckInputs::Safe,
            _ => CheckInputs::Full,
        };
        let options = BridgeOptions { check_inputs, ..BridgeOptions::default() };
        let bridge = open("identity", &options);
        let (good, bad) = (faults.tree(None), faults.tree(Some(case)));
        let mut call = good.bind(&bridge, "identity", &[]).expect("a valid schema");
        check(case, name, run(&mut call, &bad), Some(0), Side::Caller);
        assert_eq!(bad.releases(), 1, "{name}");
        serves(&faults, &bridge, "identity", &[]);
    });
}

#[test]
fn schemas_as_inputs() {
    let faults = Faults::load();
    let bridge = open("identity", &BridgeOptions::default());
    faults.each(SCHEMA, |case, name| {
        let bad = faults.tree(Some(case));
        check(case, name, bad.bind(&bridge, "identity", &[]), Some(0), Side::Caller);
        serves(&faults, &bridge, "identity", &[]);
    });
}

#[test]
fn arrays_as_results() {
    let faults = Faults::load();
    let bridge = open("lie", &BridgeOptions::default());
    faults.each(ARRAY, |case, name| {
        let tree = faults.tree(None);
        let mut call =
            tree.bind(&bridge, "lie", &[("fault", name)]).expect("a valid schema");
        check(case, name, run(&mut call, &tree), None, Side::Backend);
        assert_eq!(tree.releases(), 1, "{name}");
        serves(&faults, &bridge, "lie", &[("fault", "untouched")]);
    });
}

#[test]
fn schemas_as_results() {
    let faults = Faults::load();
    let bridge = open("lie", &BridgeOptions::default());
    faults.each(SCHEMA, |case, name| {
        let tree = faults.tree(None);
        let bound = tree.bind(&bridge, "lie_in_schema", &[("fault", name)]);
        check(case, name, bound, None, Side::Backend);
        serves(&faults, &bridge, "lie", &[("fault", "untouched")]);
    });
}
