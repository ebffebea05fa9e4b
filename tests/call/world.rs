//! Servers and their clients on a network in memory, and what tests ask of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tincan::call::client_machine::{ClientCommand, ClientConfig, ClientEvent, ClientMachine};
use tincan::call::server_address::{ServerAddress, with_mark};
use tincan::call::view::CallState;
use tincan::call::{ClientView, Command, EndReason, Event, PeerId};
use tincan::netconnection::node::{Node, NodeConfig};
use tincan::rendezvous::service::{Rules, Service, ServiceCommand, ServiceEvent};
use tincan::rtmfp::crypto::Profile;
use tincan::rtmfp::crypto::flash::{Flash, Identity, Password, Verification};
use tincan::rtmfp::endpoint::EndpointConfig;
use tincan::rtmfp::machine::{Input, Machine, Output, Received};
use tincan::settings::Settings;

use crate::lying_server::{Lies, LyingServer};
use crate::old_server::OldServer;
use crate::plain_client::{PlainClient, PlainCommand, PlainEvent};
use crate::support::virtual_network::{Families, Host, Router, VirtualNetwork};

/// Somebody on the network.
pub(crate) enum Anyone {
    Server(Box<Service>),
    Client(Box<ClientMachine>),
    Plain(Box<PlainClient>),
    Liar(Box<LyingServer>),
    Old(Box<OldServer>),
}

/// What somebody is asked.
#[derive(Debug)]
pub(crate) enum Asked {
    Server(ServiceCommand),
    Client(ClientCommand),
    Plain(PlainCommand),
}

/// What somebody tells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    Server(ServiceEvent),
    Client(ClientEvent),
    Plain(PlainEvent),
    /// A server that lies was called by this procedure.
    Asked(String),
}

/// The same input for a machine with another kind of command; `None` for a command.
fn without_command<C>(input: Input<'_, Asked>) -> Result<Input<'_, C>, Box<Asked>> {
    Ok(match input {
        Input::Time => Input::Time,
        Input::Received(Received { route, ecn, segment_size, bytes }) => {
            Input::Received(Received { route, ecn, segment_size, bytes })
        }
        Input::PathOpened { path, local, kind } => Input::PathOpened { path, local, kind },
        Input::PathClosed { path } => Input::PathClosed { path },
        Input::Computed(computed) => Input::Computed(computed),
        Input::Command(asked) => return Err(Box::new(asked)),
    })
}

fn map<E>(output: Output<E>, told: impl FnOnce(E) -> Told) -> Output<Told> {
    match output {
        Output::Transmit(transmit) => Output::Transmit(transmit),
        Output::Compute(job) => Output::Compute(job),
        Output::Event(event) => Output::Event(told(event)),
        Output::Sleep(until) => Output::Sleep(until),
    }
}

impl Machine for Anyone {
    type Command = Asked;
    type Event = Told;

    fn handle_input(&mut self, now: std::time::Instant, input: Input<'_, Asked>) {
        match self {
            Self::Server(server) => match without_command(input) {
                Ok(input) => server.handle_input(now, input),
                Err(asked) => match *asked {
                    Asked::Server(command) => server.handle_input(now, Input::Command(command)),
                    other => panic!("a server is not asked {other:?}"),
                },
            },
            Self::Liar(liar) => match without_command(input) {
                Ok(input) => liar.handle_input(now, input),
                Err(other) => panic!("a server is not asked {other:?}"),
            },
            Self::Old(old) => match without_command(input) {
                Ok(input) => old.handle_input(now, input),
                Err(other) => panic!("a server is not asked {other:?}"),
            },
            Self::Client(client) => match without_command(input) {
                Ok(input) => client.handle_input(now, input),
                Err(asked) => match *asked {
                    Asked::Client(command) => client.handle_input(now, Input::Command(command)),
                    other => panic!("a client is not asked {other:?}"),
                },
            },
            Self::Plain(plain) => match without_command(input) {
                Ok(input) => plain.handle_input(now, input),
                Err(asked) => match *asked {
                    Asked::Plain(command) => plain.handle_input(now, Input::Command(command)),
                    other => panic!("a plain client is not asked {other:?}"),
                },
            },
        }
    }

    fn poll_output(&mut self, now: std::time::Instant, packets: &mut Vec<u8>) -> Output<Told> {
        match self {
            Self::Server(server) => map(server.poll_output(now, packets), Told::Server),
            Self::Client(client) => map(client.poll_output(now, packets), Told::Client),
            Self::Plain(plain) => map(plain.poll_output(now, packets), Told::Plain),
            Self::Liar(liar) => map(liar.poll_output(now, packets), Told::Asked),
            Self::Old(old) => map(old.poll_output(now, packets), |never| match never {}),
        }
    }
}

/// The network, with a server on it.
pub(crate) struct World {
    pub(crate) net: VirtualNetwork<Anyone>,
    pub(crate) server: Host,
    pub(crate) seed: u8,
    /// Servers by their URLs: what a name leads to.
    names: BTreeMap<String, Host>,
    clients: Vec<Host>,
    /// How much of what each client told was looked through for names to look up.
    looked_through: BTreeMap<Host, usize>,
}

/// How a client is made.
pub(crate) struct Setup {
    pub(crate) settings: Settings,
    pub(crate) remembered: tincan::history::record::Remembered,
    pub(crate) guarded: bool,
    pub(crate) server: Host,
    /// It is marked as one of the Flash years.
    pub(crate) old: bool,
}

impl World {
    /// Datagrams take 40 ms, and none is lost.
    pub(crate) fn new() -> Self {
        Self::with_seed(1)
    }

    /// The same with other chances.
    pub(crate) fn with_seed(seed: u8) -> Self {
        Self::with_server_at(seed, Families::V4)
    }

    /// The same with a server that has these addresses.
    pub(crate) fn with_server_at(seed: u8, families: Families) -> Self {
        let mut net = VirtualNetwork::with_seed(Duration::from_millis(40), seed);
        let profile: Arc<dyn Profile> = Arc::new(Flash::server([200; 32]));
        let node = Node::new(node_config(profile, 201));
        let service = Anyone::Server(Box::new(Service::new(node, Rules::default())));
        let server = net.add_at(None, families, service);
        let mut world = Self {
            net,
            server,
            seed: 0,
            names: BTreeMap::new(),
            clients: vec![],
            looked_through: BTreeMap::new(),
        };
        world.names.insert(spelt_alike(&world.url_of(server)), server);
        world
    }

    /// The server's program ends without a word and is started anew, with the same key.
    pub(crate) fn restart_server(&mut self) {
        let profile: Arc<dyn Profile> = Arc::new(Flash::server([200; 32]));
        let node = Node::new(node_config(profile, 202));
        let again = Anyone::Server(Box::new(Service::new(node, Rules::default())));
        self.net.restart(self.server, again);
    }

    /// Another server, that knows nothing of the first.
    pub(crate) fn add_server(&mut self) -> Host {
        let number = u8::try_from(self.names.len()).expect("few servers");
        let profile: Arc<dyn Profile> = Arc::new(Flash::server([210 + number; 32]));
        let mut config = node_config(profile, 220 + number);
        // It leaves it to its clients to show that they are there.
        config.endpoint.keepalive = Duration::from_secs(20);
        let node = Node::new(config);
        let server = self.net.add(Anyone::Server(Box::new(Service::new(node, Rules::default()))));
        self.names.insert(spelt_alike(&self.url_of(server)), server);
        server
    }

    /// A server that answers what it is asked with these lies.
    pub(crate) fn add_liar(&mut self, lies: Lies) -> Host {
        let profile: Arc<dyn Profile> = Arc::new(Flash::server([199; 32]));
        let node = Node::new(node_config(profile, 199));
        let server = self.net.add(Anyone::Liar(Box::new(LyingServer::new(node, lies))));
        self.names.insert(spelt_alike(&self.url_of(server)), server);
        server
    }

    /// A server of the Flash years.
    pub(crate) fn add_old_server(&mut self) -> Host {
        let profile: Arc<dyn Profile> = Arc::new(Flash::server([198; 32]).verifying(Verification::OnRequest));
        let node = Node::new(node_config(profile, 198));
        let server = self.net.add(Anyone::Old(Box::new(OldServer::new(node))));
        let marked = with_mark(&self.url_of(server), true);
        self.names.insert(spelt_alike(&self.url_of(server)), server);
        self.names.insert(spelt_alike(&marked), server);
        server
    }

    /// A server that answers every hello and no keying: it wants a password that nobody has. Programs of the Flash years
    /// look like that to who offers them none but strong keys.
    pub(crate) fn add_deaf_server(&mut self) -> Host {
        let password = Password { id: vec![1], secret: vec![2].into() };
        let profile: Arc<dyn Profile> = Arc::new(Flash::server([197; 32]).requiring(password));
        let node = Node::new(node_config(profile, 197));
        self.net.add(Anyone::Old(Box::new(OldServer::new(node))))
    }

    /// A client of a server, which may never let it in.
    pub(crate) fn client_of(&mut self, name: &str, server: Host) -> Host {
        self.seed += 1;
        let setup = self.setup();
        let (config, _) = self.config(self.seed, name, setup);
        let host = self.net.add(Anyone::Client(Box::new(ClientMachine::new(config.clocks.0, config))));
        self.equip(host, server);
        host
    }

    /// Who has that server for a home.
    pub(crate) fn setup_at_old(&self, old: Host) -> Setup {
        let mut setup = self.setup();
        setup.settings.server = Some(with_mark(&self.url_of(old), true));
        Setup { server: old, old: true, ..setup }
    }

    /// A plain client with a key of the Flash years, connected to that server.
    pub(crate) fn plain_at_old(&mut self, old: Host, name: &str) -> (Host, PeerId) {
        self.seed += 1;
        let identity = Identity::generate_flash_era([self.seed; 32]);
        let peer = identity.peer_id();
        let profile = Arc::new(Flash::peer(identity).verifying(Verification::OnRequest));
        let node = Node::new(node_config(profile, self.seed));
        let (url, server) = (self.url_of(old), self.net.route_to(old));
        let host = self.net.add(Anyone::Plain(Box::new(PlainClient::new(node, name))));
        self.net.command(host, Asked::Plain(PlainCommand::Connect { url, server }));
        assert!(
            self.until(15, |world| world.heard_plainly(host).contains(&PlainEvent::Connected)),
            "{name} is not connected"
        );
        (host, peer)
    }

    /// Another name that leads to a server.
    pub(crate) fn name_server(&mut self, url: &str, server: Host) {
        self.names.insert(spelt_alike(url), server);
    }

    /// Who is usually there: nobody is held back, and nothing was kept.
    pub(crate) fn setup(&self) -> Setup {
        Setup {
            settings: Settings::default(),
            remembered: tincan::history::record::Remembered::default(),
            guarded: false,
            server: self.server,
            old: false,
        }
    }

    /// From now on that share of all datagrams is lost.
    pub(crate) fn lose(&mut self, share: f64) {
        self.net.set_links(|link| link.loss = share);
    }

    pub(crate) fn url_of(&self, server: Host) -> String {
        format!("rtmfp://{}", self.net.address(server))
    }

    /// A client that is connected to the server.
    pub(crate) fn client(&mut self, name: &str) -> (Host, PeerId) {
        let setup = self.setup();
        self.client_with(name, setup)
    }

    /// A client made like this, connected to its server.
    pub(crate) fn client_with(&mut self, name: &str, setup: Setup) -> (Host, PeerId) {
        self.seed += 1;
        let (server, old) = (setup.server, setup.old);
        let (config, peer) = self.config(self.seed, name, setup);
        let host = self.net.add(Anyone::Client(Box::new(ClientMachine::new(config.clocks.0, config))));
        self.equip_as(host, server, old);
        self.is_connected(host, name);
        (host, peer)
    }

    /// A client behind a router or not, connected to the server.
    pub(crate) fn client_at(
        &mut self,
        name: &str,
        router: Option<Router>,
        families: Families,
    ) -> (Host, PeerId) {
        let (host, peer) = self.unconnected_at(name, router, families);
        self.is_connected(host, name);
        (host, peer)
    }

    /// A client behind a router or not, which has only begun to look for the server.
    pub(crate) fn unconnected_at(
        &mut self,
        name: &str,
        router: Option<Router>,
        families: Families,
    ) -> (Host, PeerId) {
        self.seed += 1;
        let setup = self.setup();
        let (config, peer) = self.config(self.seed, name, setup);
        let machine = Anyone::Client(Box::new(ClientMachine::new(config.clocks.0, config)));
        let host = self.net.add_at(router, families, machine);
        self.equip(host, self.server);
        (host, peer)
    }

    /// What a client of that name starts with; the seed is its key.
    pub(crate) fn config(&mut self, seed: u8, name: &str, setup: Setup) -> (ClientConfig, PeerId) {
        let identity = Identity::generate([seed; 32]);
        let peer = identity.peer_id();
        let now = self.net.with(self.server, |_, now| now);
        let config = ClientConfig {
            node: with_weak_identity(node_config(Arc::new(Flash::peer(identity)), seed), seed),
            name: name.to_owned(),
            settings: setup.settings,
            remembered: setup.remembered,
            keeps: false,
            blocked: BTreeSet::new(),
            guarded: setup.guarded,
            seed: [seed + 100; 32],
            clocks: (now, SystemTime::UNIX_EPOCH),
        };
        (config, peer)
    }

    /// Gives a client its devices, addresses and server.
    pub(crate) fn equip(&mut self, host: Host, server: Host) {
        self.equip_as(host, server, false);
    }

    fn equip_as(&mut self, host: Host, server: Host, old: bool) {
        self.clients.push(host);
        let addresses = self.net.addresses(server);
        let url = with_mark(&self.url_of(server), old);
        self.ask(host, ClientCommand::LocalAddresses(self.net.addresses(host)));
        self.ask(host, ClientCommand::Devices { camera: true, microphone: true });
        self.ask(host, ClientCommand::UseServer { url, shown: "the server".into(), addresses });
    }

    /// Waits for its server.
    pub(crate) fn is_connected(&mut self, host: Host, name: &str) {
        assert!(
            self.until(15, |world| world.events(host).contains(&Event::Connected)),
            "{name} is not connected: {:?}",
            self.view(host).own
        );
    }

    /// A client that knows the ten steps and nothing else, connected to the server.
    pub(crate) fn plain(&mut self, name: &str) -> (Host, PeerId) {
        self.plain_at(name, None)
    }

    /// The same behind a router or not.
    pub(crate) fn plain_at(&mut self, name: &str, router: Option<Router>) -> (Host, PeerId) {
        self.seed += 1;
        let identity = Identity::generate([self.seed; 32]);
        let peer = identity.peer_id();
        let node = Node::new(node_config(Arc::new(Flash::peer(identity)), self.seed));
        let (url, server) = (self.url_of(self.server), self.net.route_to(self.server));
        let machine = Anyone::Plain(Box::new(PlainClient::new(node, name)));
        let host = self.net.add_at(router, Families::V4, machine);
        self.net.command(host, Asked::Plain(PlainCommand::Connect { url, server }));
        assert!(
            self.until(15, |world| world.heard_plainly(host).contains(&PlainEvent::Connected)),
            "{name} is not connected"
        );
        (host, peer)
    }

    /// From now on the server goes by these rules.
    pub(crate) fn set_rules(&mut self, rules: Rules) {
        self.net.command(self.server, Asked::Server(ServiceCommand::SetRules(rules)));
    }

    pub(crate) fn ask(&mut self, host: Host, command: ClientCommand) {
        self.net.command(host, Asked::Client(command));
    }

    pub(crate) fn person(&mut self, host: Host, command: Command) {
        self.ask(host, ClientCommand::Person(command));
    }

    pub(crate) fn call(&mut self, host: Host, whom: impl ToString) {
        self.person(host, Command::Call { whom: whom.to_string(), with_video: true });
    }

    pub(crate) fn plainly(&mut self, host: Host, command: PlainCommand) {
        self.net.command(host, Asked::Plain(command));
    }

    /// Runs until `done`, for at most so many seconds; answers whether it was.
    pub(crate) fn until(&mut self, seconds: u64, done: impl Fn(&Self) -> bool) -> bool {
        let step = Duration::from_millis(10);
        for _ in 0..seconds * 100 {
            if done(self) {
                return true;
            }
            self.net.run_for(step);
            self.look_up_names();
        }
        done(self)
    }

    pub(crate) fn run(&mut self, seconds: u64) {
        self.until(seconds, |_| false);
    }

    /// Does what the doer of each client does when a further server is wanted.
    fn look_up_names(&mut self) {
        for host in self.clients.clone() {
            let told = self.net.events(host);
            let seen = self.looked_through.insert(host, told.len()).unwrap_or_default();
            let wanted = told.iter().skip(seen).filter_map(|(_, told)| match told {
                Told::Client(ClientEvent::ServerWanted { url: Some(url) }) => Some(url.clone()),
                _ => None,
            });
            for url in wanted.collect::<Vec<_>>() {
                let server = self.names.get(&url);
                let addresses = server.map(|server| self.net.address(*server)).into_iter().collect();
                self.ask(host, ClientCommand::FurtherServer { url, addresses });
            }
        }
    }

    /// Everything a client told to be passed on to the window.
    pub(crate) fn events(&self, host: Host) -> Vec<Event> {
        let told = self.net.events(host).iter().filter_map(|(_, told)| match told {
            Told::Client(ClientEvent::Told(event)) => Some(event.clone()),
            _ => None,
        });
        told.collect()
    }

    /// Everything a client's machine told.
    pub(crate) fn told(&self, host: Host) -> Vec<&ClientEvent> {
        let told = self.net.events(host).iter().filter_map(|(_, told)| match told {
            Told::Client(event) => Some(event),
            _ => None,
        });
        told.collect()
    }

    pub(crate) fn heard_plainly(&self, host: Host) -> Vec<PlainEvent> {
        let told = self.net.events(host).iter().filter_map(|(_, told)| match told {
            Told::Plain(event) => Some(event.clone()),
            _ => None,
        });
        told.collect()
    }

    /// The newest snapshot.
    pub(crate) fn view(&self, host: Host) -> ClientView {
        let newest = self.net.events(host).iter().rev().find_map(|(_, told)| match told {
            Told::Client(ClientEvent::Changed(view)) => Some((**view).clone()),
            _ => None,
        });
        newest.unwrap_or_default()
    }

    pub(crate) fn is_up(&self, host: Host) -> bool {
        matches!(self.view(host).call, CallState::Up(_))
    }

    pub(crate) fn rings(&self, host: Host) -> bool {
        matches!(self.view(host).call, CallState::Incoming { .. })
    }

    pub(crate) fn end(&self, host: Host) -> Option<EndReason> {
        match self.view(host).call {
            CallState::Ended { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// `caller` calls, `called` accepts, and both are up.
    pub(crate) fn connect(&mut self, caller: Host, called: Host, whom: PeerId) {
        self.call(caller, whom);
        assert!(
            self.until(10, |world| world.rings(called)),
            "it does not ring: {:?}",
            self.view(caller).call
        );
        self.person(called, Command::Accept { with_video: true });
        assert!(
            self.until(10, |world| world.is_up(caller) && world.is_up(called)),
            "the call is not up: {:?} and {:?}",
            self.view(caller).call,
            self.view(called).call
        );
    }
}

fn spelt_alike(url: &str) -> String {
    ServerAddress::parse(url).expect("a server's URL").normalised()
}

/// What is shown to programs of the Flash years.
fn with_weak_identity(mut config: NodeConfig, seed: u8) -> NodeConfig {
    let weak = Flash::peer(Identity::generate_flash_era([seed; 32])).verifying(Verification::OnRequest);
    config.endpoint.second_profile = Some(Arc::new(weak));
    config
}

fn node_config(profile: Arc<dyn Profile>, seed: u8) -> NodeConfig {
    let mut endpoint = EndpointConfig::new(profile, [seed; 32]);
    endpoint.keepalive = Duration::from_secs(5);
    endpoint.vanish_after = Duration::from_secs(15);
    endpoint.open_within = Duration::from_secs(20);
    NodeConfig { endpoint, most_peer_connections: 8 }
}
