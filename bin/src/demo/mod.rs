//! placeholder
use crate::failure::Failure;
use crate::server::settings::Settings;
use presently_engine::server::Users;
use presently_net::{Service, Tap};
pub(crate) fn users(_: &Settings) -> Result<Users, Failure> {
    Ok(Users::default())
}
pub(crate) struct Play;
impl Play {
    pub(crate) fn prepare(_: &Settings) -> Self {
        Play
    }
    pub(crate) fn tap(&self) -> Tap {
        Tap::new(|_| {})
    }
    pub(crate) async fn perform(self, _: &Service, _: &Settings) -> Result<(), Failure> {
        Ok(())
    }
}
