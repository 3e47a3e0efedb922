//! Rust sources as lists of the paths that they name. Knows as much of the language as that takes: comments, literals,
//! groups and renames.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// A file of `src/`, by its path in it.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// `store/keydir.rs` is the module `store::keydir`, `store/mod.rs` is `store`.
pub(crate) fn module_path(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// The names that `lib.rs` lifts to the root, each with the layer that it comes from.
pub(crate) fn root_names(sources: &[Source]) -> HashMap<String, String> {
    let lib = sources.iter().filter(|source| source.path == "lib.rs");
    let paths = lib.flat_map(|source| paths(&source.text));
    paths.filter_map(|path| path.split_once("::").map(|(layer, name)| (name.to_owned(), layer.to_owned()))).collect()
}

/// Every path in the code, each spelled out: `use a::{b, c::d as e}` names `a::b` and `a::c::d`.
pub(crate) fn paths(text: &str) -> Vec<String> {
    let words = words(&code(text));
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if is_name(&words[at]) {
            at = path(&words, at, "", &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Reads the path that starts at `at`, below `prefix`, and says where it ends.
fn path(words: &[String], mut at: usize, prefix: &str, found: &mut Vec<String>) -> usize {
    let mut path = prefix.to_owned();
    loop {
        match words.get(at).map(String::as_str) {
            Some("{") if path.ends_with("::") => return group(words, at + 1, &path, found),
            Some(name) if is_name(name) => path.push_str(name),
            _ => break,
        }
        at += 1;
        if words.get(at).is_none_or(|word| word != "::") {
            break;
        }
        path.push_str("::");
        at += 1;
    }
    found.push(path.trim_end_matches("::").to_owned());
    at
}

/// Reads the members of a group, and says where it ends.
fn group(words: &[String], mut at: usize, prefix: &str, found: &mut Vec<String>) -> usize {
    while let Some(word) = words.get(at) {
        match word.as_str() {
            "}" => return at + 1,
            // The new name of a member is no path.
            "as" => at += 2,
            _ if is_name(word) => at = path(words, at, prefix, found),
            _ => at += 1,
        }
    }
    at
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names and numbers, `::`, and every other character by itself.
fn words(code: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in code.chars() {
        let joins = match c {
            ':' => before == ':' && words.last().is_some_and(|word| word == ":"),
            _ => is_part(c) && is_part(before),
        };
        match words.last_mut() {
            Some(last) if joins => last.push(c),
            _ if c.is_whitespace() => {}
            _ => words.push(c.to_string()),
        }
        before = c;
    }
    words
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The source without comments, literals, and the tests at its end. Words in them bind nothing together.
fn code(text: &str) -> String {
    let mut rest = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut code = String::new();
    while let Some(c) = rest.chars().next() {
        let skip = skipped(rest);
        code.push(if skip > 0 { ' ' } else { c });
        rest = &rest[if skip > 0 { skip } else { c.len_utf8() }..];
    }
    code
}

/// Bytes of the comment or literal that starts here; 0 where there is none.
fn skipped(text: &str) -> usize {
    let until = |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    match text {
        _ if text.starts_with("//") => until("\n", 2),
        _ if text.starts_with("/*") => until("*/", 2),
        _ if text.starts_with("r#\"") => until("\"#", 3),
        _ if text.starts_with("'\"'") || text.starts_with("'{'") || text.starts_with("'}'") => 3,
        _ if text.starts_with('"') => quoted(text),
        _ => 0,
    }
}

/// Bytes of the string literal that starts here.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Every file of `src/` but those that are only tests.
pub(crate) fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    collect(&root, &root, &mut sources);
    assert!(sources.len() > 20, "the sources are where they are looked for");
    let test_only: Vec<String> = sources.iter().flat_map(test_modules).collect();
    sources.retain(|source| !test_only.iter().any(|path| source.path.starts_with(path.as_str())));
    sources
}

fn collect(root: &Path, dir: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            sources.push(Source { path: name, text: fs::read_to_string(&path).unwrap() });
        }
    }
}

/// The files behind `#[cfg(test)] mod name;`.
pub(crate) fn test_modules(source: &Source) -> Vec<String> {
    let dir = source.path.trim_end_matches("mod.rs").trim_end_matches(".rs").trim_end_matches('/');
    let declarations = source.text.split("#[cfg(test)]\n").skip(1);
    let names = declarations.filter_map(|rest| rest.strip_prefix("mod ")?.split_once(';'));
    let names = names.map(|(name, _)| name).filter(|name| name.chars().all(is_part));
    names.flat_map(|name| [format!("{dir}/{name}.rs"), format!("{dir}/{name}/")]).collect()
}
