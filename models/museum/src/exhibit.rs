//! Exhibits: one fault each, as a file of `models/museum/exhibits`.

use presently_models::catalogue::{Depth, plans};
use presently_models::law::Law;
use presently_models::plan::Plan;
use serde::Deserialize;
use std::fmt;
use std::path::Path;

/// One replacement in a source file.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The file, from the root of the workspace.
    pub file: String,
    /// What stands there now, exactly once.
    pub from: String,
    /// The same with the switch in it.
    pub to: String,
}

/// A fault with what must find it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exhibit {
    /// Name of the file, and of the switch.
    #[serde(skip)]
    pub name: String,
    /// What is wrong, in a line.
    pub title: String,
    /// Where it comes from: a public thread, or a mutant of behaviour §5.4.
    pub story: String,
    /// The model that must find it.
    pub model: Option<String>,
    /// The law that it breaks there.
    pub law: Option<String>,
    /// The property of the oracle that `presence-sim search` must see violated.
    pub search: Option<String>,
    /// The room whose fault of issue 4 this is: found within two minutes, and its capsule has at
    /// most a quarter of the plan's steps.
    pub quarter: Option<String>,
    /// A test that finds it: `FILE::NAME` from the root of the workspace.
    pub test: Option<String>,
    /// The replacements.
    #[serde(default)]
    pub change: Vec<Change>,
}

/// What has to find a fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hunter {
    /// A model, checked for one law.
    Model {
        /// Its name.
        model: String,
        /// The law's name.
        law: String,
    },
    /// A search from seed 1 on.
    Search {
        /// The property that is violated first.
        property: String,
        /// Whether the shrunk plan may have a quarter of the steps at most.
        quarter: bool,
    },
    /// A test, by file and name. It is not run here; it is there.
    Test {
        /// The file.
        file: String,
        /// The function.
        name: String,
    },
}

/// Why the exhibits cannot be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unfit(pub String);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

impl Exhibit {
    /// Everything that has to find it.
    pub fn hunters(&self) -> Vec<Hunter> {
        let model = self.model.iter().zip(&self.law);
        let model =
            model.map(|(model, law)| Hunter::Model { model: model.clone(), law: law.clone() });
        let quarter = self.quarter.is_some();
        let search = self.search.iter();
        let search = search.map(|property| Hunter::Search { property: property.clone(), quarter });
        let test = self.test.iter().filter_map(|test| test.split_once("::"));
        let test = test.map(|(file, name)| Hunter::Test { file: file.into(), name: name.into() });
        model.chain(search).chain(test).collect()
    }

    /// What is wrong with the file itself.
    fn faults(&self, root: &Path) -> Vec<String> {
        let mut faults = Vec::new();
        let identifier = self.name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase());
        if !identifier {
            faults.push("its name is also the switch's: lower case letters and _".to_owned());
        }
        if self.model.is_some() != self.law.is_some() {
            faults.push("`model` and `law` go together".to_owned());
        }
        if self.quarter.is_some() && self.search.is_none() {
            faults.push("`quarter` is about `search`".to_owned());
        }
        if self.hunters().is_empty() {
            faults.push("nothing has to find it".to_owned());
        }
        let switch = format!("crate::museum::{}()", self.name);
        if !self.change.iter().any(|change| change.to.contains(&switch)) {
            faults.push(format!("no change has {switch}"));
        }
        for hunter in self.hunters() {
            faults.extend(hunter.fault(root));
        }
        faults
    }
}

impl Hunter {
    fn fault(&self, root: &Path) -> Option<String> {
        match self {
            Self::Model { model, law } => {
                let Some(plan) = plan(model) else { return Some(format!("no model {model}")) };
                let known = plan.laws.iter().any(|one| one.name() == law);
                (!known).then(|| format!("{model} does not check {law}"))
            }
            Self::Search { .. } => None,
            Self::Test { file, name } => {
                let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
                let known = text.contains(&format!("fn {name}("));
                (!known).then(|| format!("{file} has no test {name}"))
            }
        }
    }
}

/// A model by name, as the smallest budget that has it explores it, or as a budget named behind it
/// does: `C6a ci`.
pub fn plan(name: &str) -> Option<Plan> {
    let (name, budgets) = match name.split_once(' ') {
        None => (name, &[Depth::Quick, Depth::Ci, Depth::Deep][..]),
        Some((name, "ci")) => (name, &[Depth::Ci][..]),
        Some((name, "deep")) => (name, &[Depth::Deep][..]),
        Some(_) => return None,
    };
    budgets.iter().flat_map(|depth| plans(*depth)).find(|plan| plan.name == name)
}

/// A law by name.
pub fn law(name: &str) -> Option<Law> {
    Law::ALL.iter().copied().find(|law| law.name() == name)
}

/// Every exhibit of a workspace, by name.
///
/// # Errors
/// A file cannot be read or says something that cannot be; all such things, one line each.
pub fn all(root: &Path) -> Result<Vec<Exhibit>, Unfit> {
    let folder = root.join("models/museum/exhibits");
    let unreadable = |error| Unfit(format!("{}: {error}", folder.display()));
    let entries = std::fs::read_dir(&folder).map_err(unreadable)?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "toml"));
    paths.sort();
    let (mut exhibits, mut faults) = (Vec::new(), Vec::new());
    for path in paths {
        match read(&path) {
            Ok(exhibit) => {
                let place = |fault| format!("{}: {fault}", exhibit.name);
                faults.extend(exhibit.faults(root).into_iter().map(place));
                exhibits.push(exhibit);
            }
            Err(Unfit(why)) => faults.push(why),
        }
    }
    if faults.is_empty() { Ok(exhibits) } else { Err(Unfit(faults.join("\n"))) }
}

fn read(path: &Path) -> Result<Exhibit, Unfit> {
    let unfit = |why: String| Unfit(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| unfit(error.to_string()))?;
    let exhibit: Exhibit = toml::from_str(&text).map_err(|error| unfit(error.to_string()))?;
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    Ok(Exhibit { name: name.unwrap_or_default(), ..exhibit })
}
