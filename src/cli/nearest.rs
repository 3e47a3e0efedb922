//! What somebody may have meant by a word that is neither a command nor a path.

use std::path::Path;

use clap::CommandFactory;

use super::args::Cli;

/// Below this share of common characters a suggestion would be a guess.
const SIMILAR: f64 = 0.7;

/// The command, by name or alias, that is spelled most like `word`.
pub(super) fn command(word: &str) -> Option<String> {
    let definition = Cli::command();
    let names = definition.get_subcommands().flat_map(|command| command.get_name_and_visible_aliases());
    nearest(word, names.map(str::to_owned))
}

/// The path beside `word`'s place that is spelled most like it.
pub(super) fn path(word: &Path) -> Option<String> {
    let parent = word.parent().filter(|parent| !parent.as_os_str().is_empty());
    let name = word.file_name()?.to_str()?;
    let entries = parent.unwrap_or(Path::new(".")).read_dir().ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let found = nearest(name, names)?;
    Some(parent.map_or(found.clone(), |parent| parent.join(&found).display().to_string()))
}

fn nearest(word: &str, names: impl Iterator<Item = String>) -> Option<String> {
    names
        // One letter is like every word that begins with it.
        .filter(|name| name.chars().nth(1).is_some())
        .map(|name| (strsim::jaro_winkler(word, &name), name))
        .filter(|(likeness, _)| *likeness >= SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_command_is_found_by_name_and_alias() {
        assert_eq!(command("gett").as_deref(), Some("get"));
        assert_eq!(command("lst").as_deref(), Some("list"));
        assert_eq!(command("kyes").as_deref(), Some("keys"));
        assert_eq!(command("zzz"), None);
    }

    #[test]
    fn the_nearest_path_lies_in_the_same_directory() {
        let dir = tempfile::tempdir().map_err(|e| e.to_string());
        let dir = dir.as_ref().map(tempfile::TempDir::path).unwrap_or(Path::new(""));
        assert!(std::fs::create_dir(dir.join("database")).is_ok());
        assert_eq!(path(&dir.join("databse")), Some(dir.join("database").display().to_string()));
        assert_eq!(path(&dir.join("x")), None);
        assert!(std::fs::create_dir(dir.join("d")).is_ok());
        assert_eq!(path(&dir.join("dat")), Some(dir.join("database").display().to_string()));
    }
}
