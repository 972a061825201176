// SPDX-License-Identifier: MIT
//! Lists and names of columns in the values of options.

use std::fmt::Display;

use arrow_schema::{Field, Schema};
use arrowalloy::Error;

/// The error that an option is wrong.
pub fn wrong(option: &str, what: impl Display) -> Error {
    Error::invalid(format!("option {option}: {what}"))
}

/// The items of a list with commas between them. A comma inside parentheses or double
/// quotes is part of its item.
pub fn items<'a>(option: &str, list: &'a str) -> Result<Vec<&'a str>, Error> {
    let refuse = |what| Err(wrong(option, format!("{what} in {list:?}")));
    let (mut depth, mut quoted, mut unopened) = (0, false, false);
    let is_between = |c: char| {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        unopened |= depth < 0;
        c == ',' && !quoted && depth == 0
    };
    let items: Vec<&str> = list.split(is_between).map(str::trim).collect();
    match () {
        () if unopened => refuse("a ) without a ("),
        () if quoted => refuse("a \" that is not closed"),
        () if depth > 0 => refuse("a ( that is not closed"),
        () if items == [""] => Ok(Vec::new()),
        () if items.contains(&"") => refuse("an empty item"),
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
    let names: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let found = names.iter().position(|other| *other == name).ok_or_else(|| {
        let columns = names.join(", ");
        wrong(option, format!("no column {name:?}; the columns are: {columns}"))
    })?;
    if names[found + 1..].contains(&name) {
        let what = format!("several columns have the name {name:?}; rename all but one");
        return Err(wrong(option, what));
    }
    Ok(found)
}

/// Refuse columns, from the index `first` on, that have the name of an earlier one.
pub fn check_apart(option: &str, fields: &[Field], first: usize) -> Result<(), Error> {
    for (index, field) in fields.iter().enumerate().skip(first) {
        let name = field.name();
        if fields[..index].iter().any(|other| other.name() == name) {
            let what = "two columns of the result have the name";
            return Err(wrong(option, format!("{what} {name:?}; rename one")));
        }
    }
    Ok(())
}
