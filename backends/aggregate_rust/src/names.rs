// SPDX-License-Identifier: MIT
//! What options say: lists, names of columns, and what there is instead.

use arrow_schema::{Field, Schema};
use arrowalloy::Error;

/// The items of a list with commas between. A comma inside of parentheses or of double
/// quotes separates nothing.
///
/// # Errors
///
/// An item is empty, or what was opened is not closed.
pub fn items<'a>(option: &str, list: &'a str) -> Result<Vec<&'a str>, Error> {
    let wrong =
        |what: &str| Err(Error::invalid(format!("option {option}: {what} in {list:?}")));
    let (mut items, mut first) = (Vec::new(), 0);
    let (mut depth, mut quoted) = (0u32, false);
    for (at, c) in list.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth == 0 => return wrong("a ) without its ("),
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                items.push(list[first..at].trim());
                first = at + 1;
            }
            _ => {}
        }
    }
    if quoted {
        return wrong("a \" without its second");
    }
    if depth > 0 {
        return wrong("a ( without its )");
    }
    items.push(list[first..].trim());
    if items == [""] {
        return Ok(Vec::new());
    }
    if items.contains(&"") {
        return wrong("nothing between two commas");
    }
    Ok(items)
}

/// A name without the double quotes around it, if there are any.
pub fn unquoted(name: &str) -> &str {
    let name = name.trim();
    let inner = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
    inner.unwrap_or(name)
}

/// The place of a column.
///
/// # Errors
///
/// There is none of the name, or more than one.
pub fn index_of(option: &str, schema: &Schema, name: &str) -> Result<usize, Error> {
    let name = unquoted(name);
    let mut found = schema.fields().iter().enumerate().filter(|(_, f)| f.name() == name);
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(index),
        (Some(_), Some(_)) => Err(Error::invalid(format!(
            "option {option}: there are several columns {name:?}; name them apart"
        ))),
        (None, _) => Err(Error::invalid(format!(
            "option {option}: no column {name:?}; there {}",
            there_are(schema)
        ))),
    }
}

fn there_are(schema: &Schema) -> String {
    let names: Vec<&str> =
        schema.fields().iter().map(|field| field.name().as_str()).collect();
    match names.as_slice() {
        [] => "is none at all".to_owned(),
        [name] => format!("is {name}"),
        names => format!("are {}", names.join(", ")),
    }
}

/// Refuse columns from the place `first` on that are called as one before them.
///
/// # Errors
///
/// Two have the same name.
pub fn check_apart(option: &str, fields: &[Field], first: usize) -> Result<(), Error> {
    for (index, field) in fields.iter().enumerate().skip(first) {
        if fields[..index].iter().any(|other| other.name() == field.name()) {
            let name = field.name();
            return Err(Error::invalid(format!(
                "option {option}: two columns of the result are called {name:?}; call one \
                 another way"
            )));
        }
    }
    Ok(())
}
