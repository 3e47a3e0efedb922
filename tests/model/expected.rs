//! What a store should hold: a map, and what is known of values whose time has run out.

use std::collections::BTreeMap;

/// A value of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    pub bytes: Vec<u8>,
    pub expires_at: Option<u64>,
    /// Bytes of its record.
    pub len: u64,
}

impl Value {
    pub fn is_live(&self, now: u64) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }
}

/// The contents after some prefix of all writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Expired values stay until something newer is written: a clock that is set back shows them again.
    map: BTreeMap<&'static [u8], Value>,
    /// Expired values of which nobody can say whether their records are still there: a merge has met them, or a crash.
    limbo: BTreeMap<&'static [u8], Vec<Value>>,
}

impl State {
    pub fn live(&self, now: u64) -> BTreeMap<&'static [u8], &Value> {
        self.map.iter().filter(|(_, value)| value.is_live(now)).map(|(key, value)| (*key, value)).collect()
    }

    pub fn has(&self, key: &[u8], now: u64) -> bool {
        self.map.get(key).is_some_and(|value| value.is_live(now))
    }

    pub fn put(&mut self, key: &'static [u8], bytes: Vec<u8>, expires_at: Option<u64>) {
        let len = (24 + key.len() + bytes.len()) as u64 + if expires_at.is_some() { 8 } else { 0 };
        self.map.insert(key, Value { bytes, expires_at, len });
        self.limbo.remove(key);
    }

    pub fn delete(&mut self, key: &[u8]) {
        self.map.remove(key);
        self.limbo.remove(key);
    }

    /// A merge may have taken away what has expired.
    pub fn merged(&mut self, now: u64) {
        for (key, value) in self.take_expired(now, |_, _| true) {
            self.limbo.entry(key).or_default().push(value);
        }
    }

    /// Takes out those of the expired values that are wanted.
    fn take_expired(
        &mut self,
        now: u64,
        wanted: impl Fn(&'static [u8], &Value) -> bool,
    ) -> Vec<(&'static [u8], Value)> {
        let is_taken = |key: &'static [u8], value: &Value| !value.is_live(now) && wanted(key, value);
        let taken = self.map.iter().filter(|(key, value)| is_taken(key, value));
        let taken: Vec<_> = taken.map(|(key, value)| (*key, value.clone())).collect();
        taken.iter().for_each(|(key, _)| drop(self.map.remove(key)));
        taken
    }

    /// Whether a store in this state may show these keys and values.
    pub fn explains(&self, found: &BTreeMap<Vec<u8>, Vec<u8>>, now: u64) -> bool {
        let live = self.live(now);
        live.iter().all(|(key, value)| found.get(*key) == Some(&value.bytes))
            && found.iter().all(|(key, bytes)| live.contains_key(&key[..]) || self.returned(key, bytes, now).is_some())
    }

    fn returned(&self, key: &[u8], bytes: &[u8], now: u64) -> Option<Value> {
        let values = self.limbo.get(key)?;
        values.iter().find(|value| value.is_live(now) && value.bytes == bytes).cloned()
    }

    /// The state of a store that shows these keys and values, if it came from one of `states`: what they agree on, and
    /// limbo for the rest.
    pub fn found(states: &[Self], found: &BTreeMap<Vec<u8>, Vec<u8>>, now: u64) -> Option<Self> {
        let mut candidates = states.iter().rev().filter(|state| state.explains(found, now));
        let mut state = candidates.next()?.clone();
        for other in candidates {
            let unsure = state.take_expired(now, |key, value| other.map.get(key) != Some(value));
            let hidden = other.map.iter().filter(|(_, value)| !value.is_live(now));
            let limbo = other.limbo.iter().flat_map(|(key, values)| values.iter().map(move |value| (key, value)));
            let theirs = hidden.chain(limbo).map(|(key, value)| (*key, value.clone()));
            let theirs: Vec<_> = theirs.filter(|(key, _)| !state.map.contains_key(key)).collect();
            for (key, value) in unsure.into_iter().chain(theirs) {
                state.limbo.entry(key).or_default().push(value);
            }
        }
        state.settle_limbo(found, now);
        Some(state)
    }

    /// What could be there by the clock and is not shown is gone for good; what is shown is there.
    fn settle_limbo(&mut self, found: &BTreeMap<Vec<u8>, Vec<u8>>, now: u64) {
        for (key, values) in &mut self.limbo {
            if let Some(bytes) = found.get(*key).filter(|_| !self.map.contains_key(key)) {
                let value = values.iter().find(|value| value.is_live(now) && value.bytes == *bytes);
                self.map.insert(key, value.expect("what explains is there").clone());
                values.clear();
            }
            values.retain(|value| !value.is_live(now));
        }
        self.limbo.retain(|_, values| !values.is_empty());
    }
}
