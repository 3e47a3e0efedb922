//! Elements, planets and moons, powers of ten, and primes: the one large value.

use serde_json::json;

use super::Step;
use super::packed::{Field, message, primes_below};
use super::table::{number, rows, text};

const ELEMENTS: &str = include_str!("../../assets/sample/elements.tsv");
const PLANETS: &str = include_str!("../../assets/sample/planets.tsv");
const MOONS: &str = include_str!("../../assets/sample/moons.tsv");
const PREFIXES: &str = include_str!("../../assets/sample/prefixes.tsv");

/// Pluto was counted as a planet from its discovery in 1930 until 2006.
const FORMER_PLANET: &str = "planet:Pluto";
const PRIMES: &str = "primes";

/// Elements from 104 on by the systematic names that they had before they were named, a planet that is none today,
/// and fewer primes.
pub(super) fn first_editions() -> Vec<Step> {
    let unnamed = (104..=118).map(|atomic_number| {
        let (name, symbol) = systematic(atomic_number);
        Step::json(element_key(atomic_number), &json!({ "number": atomic_number, "name": name, "symbol": symbol }))
    });
    let pluto = Step::json(FORMER_PLANET, &json!({ "discovered": 1930, "by": "Clyde Tombaugh" }));
    unnamed.chain([pluto, few_primes()]).collect()
}

fn element_key(atomic_number: u32) -> String {
    format!("element:{atomic_number:03}")
}

/// The name and symbol that IUPAC's rule makes of an atomic number: a root for every digit.
fn systematic(atomic_number: u32) -> (String, String) {
    let roots: String = atomic_number.to_string().chars().map(root).collect();
    let symbol: String = atomic_number.to_string().chars().filter_map(|digit| root(digit).chars().next()).collect();
    // "bi" and "tri" lend their i to the ending.
    let name = format!("{roots}ium").replace("iium", "ium");
    let (first, rest) = symbol.split_at_checked(1).unwrap_or_default();
    (name, format!("{}{rest}", first.to_ascii_uppercase()))
}

fn root(digit: char) -> &'static str {
    match digit {
        '0' => "nil",
        '1' => "un",
        '2' => "bi",
        '3' => "tri",
        '4' => "quad",
        '5' => "pent",
        '6' => "hex",
        '7' => "sept",
        '8' => "oct",
        _ => "enn",
    }
}

/// The full edition of each element; the decimal prefixes as plain text.
pub(super) fn elements() -> Vec<Step> {
    let element = |[atomic_number, symbol, name, period, group, weight]: [&str; 6]| {
        let element = json!({
            "number": number(atomic_number),
            "symbol": symbol,
            "name": name,
            "period": number(period),
            "group": number(group),
            "atomic_weight": number(weight),
        });
        Step::json(element_key(atomic_number.parse().unwrap_or_default()), &element)
    };
    let prefix = |[name, symbol, power]: [&str; 3]| Step::put(format!("prefix:{name}"), format!("{symbol} 10^{power}"));
    rows(ELEMENTS).map(element).chain(rows(PREFIXES).map(prefix)).collect()
}

/// Planets and dwarf planets in JSON, moons in MessagePack.
pub(super) fn bodies() -> Vec<Step> {
    let planet = |[kind, name, radius, axis, year, by]: [&str; 6]| {
        let body = json!({
            "mean_radius_km": number(radius),
            "semi_major_axis_au": number(axis),
            "discovered": number(year),
            "by": text(by),
        });
        Step::json(format!("{kind}:{name}"), &body)
    };
    let moon = |[name, of, year, by]: [&str; 4]| {
        let year = Field::Number(year.parse().unwrap_or_default());
        let fields = [("of", Field::Text(of)), ("discovered", year), ("by", Field::Text(by))];
        Step::put(format!("moon:{name}"), message(fields))
    };
    rows(PLANETS).map(planet).chain(rows(MOONS).map(moon)).collect()
}

/// The primes below 100,000 as four bytes each, little-endian: some 37 KiB.
pub(super) fn primes() -> Vec<Step> {
    vec![primes_step(100_000)]
}

fn few_primes() -> Step {
    primes_step(20_000)
}

fn primes_step(limit: usize) -> Step {
    let packed: Vec<_> = primes_below(limit).into_iter().flat_map(u32::to_le_bytes).collect();
    Step::put(PRIMES, packed)
}

/// What is a dwarf planet now.
pub(super) fn withdrawals() -> Vec<Step> {
    vec![Step::delete(FORMER_PLANET)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unnamed_elements_are_called_by_their_digits() {
        let names = [104, 110, 112, 113, 118].map(systematic);
        let expected = [
            ("unnilquadium", "Unq"),
            ("ununnilium", "Uun"),
            ("ununbium", "Uub"),
            ("ununtrium", "Uut"),
            ("ununoctium", "Uuo"),
        ];
        assert_eq!(names, expected.map(|(name, symbol)| (name.to_owned(), symbol.to_owned())));
    }
}
