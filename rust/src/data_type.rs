// SPDX-License-Identifier: MIT
//! The types of output columns, and the schemas that they make.

use std::ffi::CString;
use std::ptr;

use crate::abi::{ArrowSchema, FLAG_NULLABLE};
use crate::column::Value;
use crate::error::Error;
use crate::own::OwnedSchema;
use crate::view::{Kind, accepts};

/// The type of a column: a format of the C data interface, with children or a dictionary.
///
/// ```
/// use arrowalloy::{Field, Type};
/// let tags = Type::list(Type::dictionary("i", Type::new("u")));
/// let point = Type::structure(vec![
///     Field::new("x", Type::new("g")),
///     Field::new("y", Type::new("g")),
/// ]);
/// // The type of a column of results, from its Rust type:
/// assert_eq!(Type::of::<Vec<f64>>(), Type::list(Type::new("g")));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    format: String,
    children: Vec<Field>,
    dictionary: Option<Box<Self>>,
    // The formats of the inputs whose parameters (precision, time zone) this type takes, and
    // whether a format of them fits.
    like: Option<Like>,
}

type Like = (&'static str, fn(&str) -> bool);

/// A column of a batch, or a child of a type. It may hold nulls.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    name: String,
    data_type: Type,
    nullable: bool,
}

impl Field {
    /// A column that may hold nulls.
    pub fn new(name: impl Into<String>, data_type: Type) -> Self {
        Self { name: name.into(), data_type, nullable: true }
    }

    /// The same without nulls.
    #[must_use]
    pub fn not_null(self) -> Self {
        Self { nullable: false, ..self }
    }

    pub(crate) fn resolve(&mut self, inputs: &[&Kind]) -> Result<(), Error> {
        self.data_type.resolve(inputs).map_err(|error| {
            Error::new(error.code(), format!("output {}: {}", self.name, error.text()))
        })
    }
}

impl Type {
    /// A type without children, such as `g` for float64 or `tsu:UTC`.
    pub fn new(format: impl Into<String>) -> Self {
        let format = format.into();
        Self { format, children: Vec::new(), dictionary: None, like: None }
    }

    /// A list, with offsets of 32 bits.
    #[must_use]
    pub fn list(item: Self) -> Self {
        Self { children: vec![Field::new("item", item)], ..Self::new("+l") }
    }

    /// A struct.
    #[must_use]
    pub fn structure(fields: Vec<Field>) -> Self {
        Self { children: fields, ..Self::new("+s") }
    }

    /// A dictionary: `index` is the format of its indices, such as `i` for int32.
    pub fn dictionary(index: impl Into<String>, values: Self) -> Self {
        Self { dictionary: Some(Box::new(values)), ..Self::new(index) }
    }

    /// The type of a [`Column<T>`](crate::Column).
    #[must_use]
    pub fn of<T: Value>() -> Self {
        T::data_type()
    }

    // A type that is known at bind: that of the first input of one of these formats. Without
    // such an input it is `fallback`.
    pub(crate) fn like(
        accepts: &'static str,
        fits: fn(&str) -> bool,
        fallback: Option<&str>,
    ) -> Self {
        Self { like: Some((accepts, fits)), ..Self::new(fallback.unwrap_or_default()) }
    }

    // Take the parameters of the inputs.
    pub(crate) fn resolve(&mut self, inputs: &[&Kind]) -> Result<(), Error> {
        for child in &mut self.children {
            child.data_type.resolve(inputs)?;
        }
        if let Some(values) = &mut self.dictionary {
            values.resolve(inputs)?;
        }
        let Some((formats, fits)) = self.like.take() else { return Ok(()) };
        let same = |kind: &Kind| accepts(formats, kind) && fits(&kind.format);
        if let Some(kind) = inputs.iter().find_map(|kind| kind.find(&same)) {
            self.format.clone_from(&kind.format);
        } else if self.format.is_empty() {
            let formats = formats.trim_end_matches('\0');
            return Err(Error::failed(format!(
                "a result takes its precision and scale from an input of format {formats}, \
                 but the function has none; declare them, as in Decimal<15, 2>"
            )));
        }
        Ok(())
    }
}

impl OwnedSchema {
    /// The schema of a batch with these columns.
    ///
    /// # Errors
    ///
    /// A name or a format contains a NUL.
    pub fn of(fields: &[Field]) -> Result<Self, Error> {
        make("", &Type::structure(fields.to_vec()), false)
    }
}

// What a schema owns. A consumer may move its children out, so each owns its own.
struct Node {
    format: CString,
    name: CString,
    children: Box<[ArrowSchema]>,
    pointers: Box<[*mut ArrowSchema]>,
    dictionary: Box<[ArrowSchema]>,
}

fn make(name: &str, data_type: &Type, nullable: bool) -> Result<OwnedSchema, Error> {
    let children = data_type.children.iter();
    let children =
        children.map(|child| make(&child.name, &child.data_type, child.nullable));
    let children = children.collect::<Result<Vec<_>, _>>()?;
    let dictionary = data_type.dictionary.iter().map(|values| make("", values, true));
    let dictionary = dictionary.collect::<Result<Vec<_>, _>>()?;
    let n_children = children.len();
    let node = Node {
        format: CString::new(data_type.format.as_str())?,
        name: CString::new(name)?,
        children: children.into_iter().map(OwnedSchema::into_raw).collect(),
        pointers: vec![ptr::null_mut(); n_children].into_boxed_slice(),
        dictionary: dictionary.into_iter().map(OwnedSchema::into_raw).collect(),
    };
    // A move of a Box invalidates pointers into it, so take them from the raw box.
    let node = Box::into_raw(Box::new(node));
    // SAFETY: the box is complete, and stays in place until release takes it back.
    unsafe {
        let first = (*node).children.as_mut_ptr();
        let pointers = (*node).pointers.as_mut_ptr();
        for index in 0..n_children {
            pointers.add(index).write(first.add(index));
        }
        let dictionary = &raw mut (*node).dictionary;
        let has_dictionary = data_type.dictionary.is_some();
        Ok(OwnedSchema::from_raw(ArrowSchema {
            format: (*node).format.as_ptr(),
            name: (*node).name.as_ptr(),
            flags: if nullable { FLAG_NULLABLE } else { 0 },
            n_children: n_children as i64,
            children: if n_children == 0 { ptr::null_mut() } else { pointers },
            dictionary: if has_dictionary {
                (*dictionary).as_mut_ptr()
            } else {
                ptr::null_mut()
            },
            release: Some(release),
            private_data: node.cast(),
            ..ArrowSchema::released()
        }))
    }
}

unsafe extern "C" fn release(schema: *mut ArrowSchema) {
    // SAFETY: `make` made private_data; the struct is released once.
    unsafe {
        (*schema).release = None;
        let mut node = Box::from_raw((*schema).private_data.cast::<Node>());
        let Node { children, dictionary, .. } = &mut *node;
        for part in children.iter_mut().chain(dictionary.iter_mut()) {
            if let Some(release) = part.release {
                release(part);
            }
        }
    }
}
