//! `rotation-diag serve` itself, between the fake and a simulated AWS account.

use crate::fake_discord::{APPLICATION, CHANNEL, FakeDiscord, GUILD, Signer, TOKEN};
use crate::launched::Program;
use rotation_diag::clock::Clock;
use rotation_diag::simulator::{Scenario, Simulator};
use std::path::Path;

/// An AWS account in which `prod/orders-db` does not rotate.
pub(crate) fn account() -> Simulator {
    let (_, text) = Scenario::embedded().find(|(name, _)| *name == "role_detached_policy").unwrap();
    let scenario = Scenario::parse(text).unwrap();
    Simulator::start(scenario, Clock::system().now()).unwrap()
}

/// The program at its most talkative, with the store in `folder`.
pub(crate) async fn start(fake: &FakeDiscord, account: &Simulator, folder: &Path, mode: &str) -> Program {
    let key: String = Signer::new().public_key().iter().map(|byte| format!("{byte:02x}")).collect();
    let config = format!(
        "[[allow]]\nplatform = \"discord\"\nworkspace = \"{GUILD}\"\nchannels = [\"{CHANNEL}\"]\nusers = [\"*\"]\n\
         [discord]\nmode = \"{mode}\"\nbot_token = \"env:DISCORD_BOT_TOKEN\"\napplication_id = \"{APPLICATION}\"\n\
         public_key = \"{key}\"\nguilds = [\"{GUILD}\"]\napi_url = \"{}\"\n",
        fake.api(),
    );
    Program::start(folder, &config, &[("DISCORD_BOT_TOKEN", TOKEN), ("RUST_LOG", "trace")], account).await
}
