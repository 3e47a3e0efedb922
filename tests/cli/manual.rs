//! What shells and `man` are told: every command, in a form that they accept.

use std::process::{Command, Stdio};

use crate::program::Program;

/// The commands, as the help lists them.
fn commands(program: &Program) -> Vec<String> {
    let help = String::from_utf8(program.run(&["--help"]).stdout).unwrap();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A line that is further to the right goes on from the one before.
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<String> = names.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect();
    assert!(names.len() > 15, "{names:?}");
    names
}

#[test]
fn the_script_of_each_shell_knows_every_command() {
    let program = Program::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = program.run(&["completions", shell]);
        assert!(script.status.success() && script.stderr.is_empty(), "{shell}: {script:?}");
        let script = String::from_utf8(script.stdout).unwrap();
        for command in commands(&program) {
            assert!(script.contains(&command), "{shell}: {command}");
        }
    }
    assert_eq!(program.run(&["completions", "cmd"]).status.code(), Some(2));
}

#[test]
fn bash_completes_a_command_and_an_option() {
    if Command::new("bash").arg("--version").stdout(Stdio::null()).status().is_err() {
        return;
    }
    let program = Program::new();
    let completed = |words: &str| {
        let line = format!(
            "logkv completions bash > script; bash -c '. ./script; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _logkv logkv \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[@]}}\"'"
        );
        let output = program.shell(&line);
        assert!(output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(completed("logkv ver"), "verify\n");
    assert_eq!(completed("logkv export --as r"), "resp\n");
    assert_eq!(completed("logkv get --raw --re"), "--read-only --recovery\n");
}

#[test]
fn the_manual_names_every_command_and_each_has_a_page() {
    let program = Program::new();
    let page = |args: &[&str]| {
        let page = program.run(args);
        assert!(page.status.success() && page.stderr.is_empty(), "{page:?}");
        String::from_utf8(page.stdout).unwrap()
    };
    let whole = page(&["man"]);
    assert!(whole.contains(".TH logkv 1"), "{whole}");
    for command in commands(&program) {
        assert!(whole.contains(&format!("logkv\\-{command}(1)")), "{command}");
        assert!(page(&["man", &command]).contains(&format!(".TH logkv-{command} 1")), "{command}");
    }
    let unknown = program.run(&["man", "gett"]);
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
}
