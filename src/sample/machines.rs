//! What machines say to each other: status codes, ports, media types, error numbers.

use serde_json::json;

use super::Step;
use super::table::{number, rows};

const HTTP: &str = include_str!("../../assets/sample/http.tsv");
const PORTS: &str = include_str!("../../assets/sample/ports.tsv");
const MEDIA: &str = include_str!("../../assets/sample/media.tsv");
const ERRNO: &str = include_str!("../../assets/sample/errno.tsv");

/// A status code that RFC 2774 defined and that is obsolete.
const FORMER_STATUS: &str = "http:510";

/// Status codes by the phrases that earlier standards gave them.
pub(super) fn first_editions() -> Vec<Step> {
    let earlier = rows::<5>(HTTP).filter(|[_, _, _, phrase, _]| !phrase.is_empty());
    let renamed = earlier.map(|[code, _, _, phrase, rfc]| status(&format!("http:{code}"), phrase, rfc));
    renamed.chain([status(FORMER_STATUS, "Not Extended", "2774")]).collect()
}

fn status(key: &str, phrase: &str, rfc: &str) -> Step {
    Step::json(key, &json!({ "phrase": phrase, "rfc": number(rfc) }))
}

/// Status codes and error numbers in JSON, ports and media types as plain text.
pub(super) fn protocols() -> Vec<Step> {
    let statuses = rows(HTTP).map(|[code, phrase, rfc]| status(&format!("http:{code}"), phrase, rfc));
    let errors = rows(ERRNO).map(|[name, errno, message]| {
        Step::json(format!("errno:{name}"), &json!({ "number": number(errno), "message": message }))
    });
    let ports = rows(PORTS).map(|[protocol, port, service]| Step::put(format!("port:{protocol}/{port}"), service));
    let media = rows(MEDIA).map(|[extension, media]| Step::put(format!("media:{extension}"), media));
    statuses.chain(errors).chain(ports).chain(media).collect()
}

/// What is obsolete.
pub(super) fn withdrawals() -> Vec<Step> {
    vec![Step::delete(FORMER_STATUS)]
}
