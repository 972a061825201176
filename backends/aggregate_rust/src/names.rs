// SPDX-License-Identifier: MIT
//! Lists and names of columns in the values of options.

use arrow_schema::{Field, Schema};
use arrowalloy::Error;

/// The items of a list with commas between them. A comma inside parentheses or double
/// quotes is part of its item.
pub fn items<'a>(option: &str, list: &'a str) -> Result<Vec<&'a str>, Error> {
    let wrong =
        |what: &str| Err(Error::invalid(format!("option {option}: {what} in {list:?}")));
    let (mut items, mut first) = (Vec::new(), 0);
    let (mut depth, mut quoted) = (0u32, false);
    for (at, c) in list.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth == 0 => return wrong("a ) without a ("),
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                items.push(list[first..at].trim());
                first = at + 1;
            }
            _ => {}
        }
    }
    items.push(list[first..].trim());
    match () {
        () if quoted => wrong("a \" that is not closed"),
        () if depth > 0 => wrong("a ( that is not closed"),
        () if items == [""] => Ok(Vec::new()),
        () if items.contains(&"") => wrong("an empty item"),
        () => Ok(items),
    }
}

/// A name without the double quotes around it, if there are any.
pub fn unquoted(name: &str) -> &str {
    let name = name.trim();
    let inner = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
    inner.unwrap_or(name)
}

/// The index of the only column with a name.
pub fn index_of(option: &str, schema: &Schema, name: &str) -> Result<usize, Error> {
    let name = unquoted(name);
    let names: Vec<&str> =
        schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut found = (0..names.len()).filter(|index| names[*index] == name);
    match (found.next(), found.next()) {
        (Some(index), None) => Ok(index),
        (Some(_), Some(_)) => Err(Error::invalid(format!(
            "option {option}: several columns have the name {name:?}; rename all but one"
        ))),
        (None, _) => Err(Error::invalid(format!(
            "option {option}: no column {name:?}; the columns are: {}",
            names.join(", ")
        ))),
    }
}

/// Refuse columns, from the index `first` on, that have the name of an earlier one.
pub fn check_apart(option: &str, fields: &[Field], first: usize) -> Result<(), Error> {
    let is_twice = |index: &usize| {
        fields[..*index].iter().any(|other| other.name() == fields[*index].name())
    };
    let Some(index) = (first..fields.len()).find(is_twice) else { return Ok(()) };
    Err(Error::invalid(format!(
        "option {option}: two columns of the result have the name {:?}; rename one",
        fields[index].name()
    )))
}
