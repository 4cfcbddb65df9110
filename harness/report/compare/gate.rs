//! Gates: how much worse a figure may get.

use serde::Serialize;

use super::figures::{Figure, metrics};

/// A figure that may grow, or shrink, by so much and no more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    /// The gate as it was written.
    pub written: String,
    metric: &'static str,
    percent: f64,
}

/// What became of a gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// The gate as it was written.
    pub gate: String,
    /// How many figures it was held against: those of which it is known how sure they are.
    pub judged: usize,
    /// The operations whose whole interval lies beyond it.
    pub missed: Vec<String>,
}

impl Gate {
    /// Reads `p99=+20%` or `throughput=-10%`.
    ///
    /// # Errors
    ///
    /// What else to write.
    pub fn parse(text: &str) -> Result<Gate, String> {
        let wrong = || {
            let metrics: Vec<_> = metrics().collect();
            format!(
                "write METRIC=+PERCENT% or METRIC=-PERCENT%, as in p99=+20%; METRIC is one of {}",
                metrics.join(", ")
            )
        };
        let (metric, limit) = text.split_once('=').ok_or_else(wrong)?;
        let metric = metrics().find(|name| *name == metric).ok_or_else(wrong)?;
        let number = limit.strip_suffix('%').map(str::trim_end).ok_or_else(wrong)?;
        let plain = |c: char| c.is_ascii_digit() || c == '.';
        let digits = number.strip_prefix(['+', '-']).filter(|digits| digits.chars().all(plain));
        digits.ok_or_else(wrong)?;
        let percent: f64 = number.parse().map_err(|_| wrong())?;
        Ok(Gate { written: text.to_owned(), metric, percent })
    }

    /// Whether a growth is what it is about, and not a decline.
    fn is_ceiling(&self) -> bool {
        self.percent.is_sign_positive()
    }

    pub(super) fn judged(&self, figures: &[&Figure]) -> Judged {
        let own = figures.iter().filter(|figure| figure.metric == self.metric);
        let known: Vec<_> = own.filter_map(|figure| Some((figure, figure.interval?))).collect();
        let beyond = known.iter().filter(|(_, interval)| {
            if self.is_ceiling() {
                self.percent < interval.low
            } else {
                interval.high < self.percent
            }
        });
        let name = |figure: &Figure| figure.operations.clone().unwrap_or_else(|| "all".to_owned());
        Judged {
            gate: self.written.clone(),
            judged: known.len(),
            missed: beyond.map(|(figure, _)| name(figure)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;

    #[test]
    fn a_gate_has_a_figure_and_a_percentage_with_a_sign() {
        for good in ["p99=+20%", "p50=-3.5%", "p99.99=+0%", "throughput=-10 %"] {
            assert!(Gate::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "p99",
            "p99=20%",
            "p98=+20%",
            "p99=+20",
            "p99=+%",
            "p99=+inf%",
            "p99=+1e9%",
            "p99=+-2%",
        ] {
            let error = Gate::parse(bad).expect_err(bad);
            assert!(error.contains("as in p99=+20%"), "{error}");
        }
    }
}
