//! What was measured: one reading a round for each pair of work and subject. A subject is a store, or the limit.

use std::collections::BTreeMap;

use crate::measure::{self, Pace};

/// The subject that is no store.
pub const LIMIT: &str = "limit";

#[derive(Default)]
pub struct Readings {
    pub values: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Readings {
    pub fn median(&self) -> Option<f64> {
        measure::median(&self.values)
    }

    /// Medians of the rounds' percentiles of single operations, in nanoseconds.
    pub fn latencies(&self) -> Option<(f64, f64)> {
        Some((measure::median(&self.p50)?, measure::median(&self.p99)?))
    }
}

#[derive(Default)]
pub struct Results {
    readings: BTreeMap<(&'static str, &'static str), Readings>,
}

impl Results {
    /// A figure in the unit of the work.
    pub fn add(&mut self, work: &'static str, subject: &'static str, value: f64) {
        self.readings.entry((work, subject)).or_default().values.push(value);
    }

    /// A rate with its latencies.
    pub fn add_pace(&mut self, work: &'static str, subject: &'static str, mut pace: Pace) {
        self.add_scaled(work, subject, &mut pace, 1.0);
    }

    /// A rate, each operation counted as `worth`: as so many bytes.
    pub fn add_scaled(&mut self, work: &'static str, subject: &'static str, pace: &mut Pace, worth: f64) {
        let rate = pace.rate() * worth;
        let readings = self.readings.entry((work, subject)).or_default();
        readings.values.push(rate);
        readings.p50.extend(measure::percentile(&mut pace.samples, 50));
        readings.p99.extend(measure::percentile(&mut pace.samples, 99));
    }

    /// Seconds of one operation, with their latencies.
    pub fn add_duration(&mut self, work: &'static str, subject: &'static str, mut pace: Pace) {
        let each = 1.0 / pace.rate();
        let readings = self.readings.entry((work, subject)).or_default();
        readings.values.push(each);
        readings.p50.extend(measure::percentile(&mut pace.samples, 50));
        readings.p99.extend(measure::percentile(&mut pace.samples, 99));
    }

    pub fn get(&self, work: &'static str, subject: &'static str) -> Option<&Readings> {
        self.readings.get(&(work, subject))
    }

    /// What was measured of a work: subjects with their medians.
    pub fn of(&self, work: &'static str) -> impl Iterator<Item = (&'static str, f64)> {
        let all = self.readings.iter().filter(move |((of, _), _)| *of == work);
        all.filter_map(|((_, subject), readings)| Some((*subject, readings.median()?)))
    }
}
