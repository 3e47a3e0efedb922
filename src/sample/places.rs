//! Countries, their flags and former currencies; time zones and leap seconds.

use serde_json::{Value, json};

use super::packed::{bands, floats};
use super::table::{number, rows, text};
use super::{Step, signs};

const COUNTRIES: &str = include_str!("../../assets/sample/countries.tsv");
const FORMER_COUNTRIES: &str = include_str!("../../assets/sample/former_countries.tsv");
const CURRENCIES: &str = include_str!("../../assets/sample/currencies.tsv");
const FLAGS: &str = include_str!("../../assets/sample/flags.tsv");
const ZONES: &str = include_str!("../../assets/sample/zones.tsv");
const LINKS: &str = include_str!("../../assets/sample/links.tsv");
const LEAPS: &str = include_str!("../../assets/sample/leaps.tsv");

/// Names only.
pub(super) fn first_countries() -> Vec<Step> {
    let named = |[code, name]: [&str; 2]| Step::json(format!("country:{code}"), &json!({ "name": name }));
    rows(COUNTRIES).chain(rows(FORMER_COUNTRIES)).map(named).collect()
}

/// What [`withdrawals`] takes back, but for the countries: zones' former names, currencies.
pub(super) fn former_names() -> Vec<Step> {
    let zones = rows(LINKS).map(|[name, now]| Step::json(format!("zone:{name}"), &json!({ "link": now })));
    let currencies = rows(CURRENCIES).map(|[code, per_euro, name]| {
        Step::json(format!("currency:{code}"), &json!({ "name": name, "per_euro": number(per_euro) }))
    });
    zones.chain(currencies).collect()
}

/// The country only.
pub(super) fn first_zones() -> Vec<Step> {
    let zone = |[name, country]: [&str; 2]| Step::json(format!("zone:{name}"), &json!({ "country": country }));
    rows(ZONES).map(zone).collect()
}

/// A second edition of each zone, and beside it the coordinates as two floats.
pub(super) fn coordinates() -> Vec<Step> {
    let both = |[name, country, latitude, longitude]: [&str; 4]| {
        let zone = json!({ "country": country, "latitude": number(latitude), "longitude": number(longitude) });
        let pair = [latitude, longitude].map(|degrees| degrees.parse().unwrap_or(f64::NAN));
        [Step::json(format!("zone:{name}"), &zone), Step::put(format!("place:{name}"), floats(pair))]
    };
    rows(ZONES).flat_map(both).collect()
}

/// The full edition of each zone, and the leap seconds.
pub(super) fn zones() -> Vec<Step> {
    let zone = |[name, country, latitude, longitude, least, most, comment]: [&str; 7]| {
        let zone = json!({
            "country": country,
            "latitude": number(latitude),
            "longitude": number(longitude),
            "minutes_ahead_of_utc": { "least": number(least), "most": number(most) },
            "changes_its_clocks": least != most,
            "comment": text(comment),
        });
        Step::json(format!("zone:{name}"), &zone)
    };
    let leap = |[day, tai]: [&str; 2]| Step::json(format!("leap:{day}"), &json!({ "tai_minus_utc": number(tai) }));
    rows(ZONES).map(zone).chain(rows(LEAPS).map(leap)).collect()
}

/// The full edition of each country, with its zones, and the flags that are bands.
pub(super) fn countries() -> Vec<Step> {
    let country = |[code, name]: [&str; 2]| {
        let zones: Vec<_> = rows(ZONES).filter(|[_, country]| *country == code).map(|[zone, _]| zone).collect();
        Step::json(format!("country:{code}"), &json!({ "flag": flag(code), "name": name, "zones": zones }))
    };
    rows(COUNTRIES).map(country).chain(rows(FLAGS).map(flag_image)).collect()
}

/// Two regional indicators, which fonts draw as a flag.
fn flag(code: &str) -> Value {
    let indicator = |letter: char| char::from_u32('🇦' as u32 + letter as u32 - 'A' as u32);
    code.chars().filter(char::is_ascii_uppercase).filter_map(indicator).collect::<String>().into()
}

fn flag_image([code, direction, colors]: [&str; 3]) -> Step {
    let colors: Vec<_> = colors.split(' ').filter_map(signs::color).collect();
    Step::put(format!("flag:{code}"), bands(&colors, direction == "v"))
}

/// Renamed zones, countries that are no more, and currencies that the euro replaced.
pub(super) fn withdrawals() -> Vec<Step> {
    let zones = rows(LINKS).map(|[name, _]: [&str; 2]| Step::delete(format!("zone:{name}")));
    let countries = rows(FORMER_COUNTRIES).map(|[code]| Step::delete(format!("country:{code}")));
    let currencies = rows(CURRENCIES).map(|[code]| Step::delete(format!("currency:{code}")));
    zones.chain(countries).chain(currencies).collect()
}
