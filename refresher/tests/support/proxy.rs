//! A way to a store that loses, delays and contradicts what it carries.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::Method;
use refresher::http::{Timeouts, client};

use super::random::Random;
use super::web::{Answer, Asked, Flow, serve};

pub struct Proxy {
    /// Where it is reached, instead of what it stands before.
    pub address: String,
    pub way: Arc<Way>,
}

pub struct Way {
    pub faulty: AtomicBool,
    pub faults: AtomicUsize,
    /// Requests under way: one outlives the process that made it.
    pub busy: AtomicUsize,
    random: Mutex<Random>,
    client: reqwest::Client,
    target: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    CutBefore,
    CutAfter,
    HalfAnswer,
    Delay,
    FailBefore,
    FailAfter,
    TooMany,
    /// A conflict that is none.
    Conflict,
}

impl Proxy {
    /// Stands before `target`, scheme and host.
    pub async fn start(target: &str, seed: u64) -> Proxy {
        let time = Duration::from_secs(30);
        let way = Arc::new(Way {
            faulty: AtomicBool::new(false),
            faults: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            random: Mutex::new(Random::new(seed)),
            client: client(target, Timeouts { connect: time, total: time }).unwrap(),
            target: target.to_owned(),
        });
        let mine = way.clone();
        let address = serve(move |asked| {
            let way = mine.clone();
            async move {
                // In a task of its own: what is under way arrives, whoever has gone.
                let task = tokio::spawn(async move {
                    way.busy.fetch_add(1, Ordering::SeqCst);
                    let answer = way.carry(asked).await;
                    way.busy.fetch_sub(1, Ordering::SeqCst);
                    answer
                });
                task.await.unwrap()
            }
        })
        .await;
        Proxy { address, way }
    }
}

impl Way {
    async fn carry(&self, asked: Asked) -> Option<Answer> {
        let fault = self.fault(asked.method == Method::PUT);
        match fault {
            Some(Fault::CutBefore) => return None,
            Some(Fault::FailBefore) => return Some(Answer::new(500, "boom")),
            Some(Fault::TooMany) => return Some(Answer::new(429, "").header("Retry-After", "0")),
            Some(Fault::Conflict) => return Some(Answer::new(412, "")),
            Some(Fault::Delay) => tokio::time::sleep(Duration::from_millis(150)).await,
            _ => {}
        }
        let mut request = self
            .client
            .request(asked.method.clone(), format!("{}{}", self.target, asked.target))
            .headers(asked.headers);
        if !asked.body.is_empty() {
            request = request.body(asked.body);
        }
        let response = request.send().await.ok()?;
        let mut answer = Answer::new(response.status().as_u16(), "");
        for (name, value) in response.headers() {
            if !["transfer-encoding", "content-length", "connection"].contains(&name.as_str()) {
                answer = answer.header(name.as_str(), value.to_str().unwrap_or_default());
            }
        }
        answer.body = response.bytes().await.ok()?;
        match fault {
            Some(Fault::CutAfter) => None,
            Some(Fault::FailAfter) => Some(Answer::new(500, "boom")),
            Some(Fault::HalfAnswer) => Some(answer.flow(Flow::Cut)),
            _ => Some(answer),
        }
    }

    fn fault(&self, writes: bool) -> Option<Fault> {
        let mut random = self.random.lock().unwrap();
        if !self.faulty.load(Ordering::SeqCst) || !random.percent(12) {
            return None;
        }
        self.faults.fetch_add(1, Ordering::SeqCst);
        use Fault::{
            Conflict, CutAfter, CutBefore, Delay, FailAfter, FailBefore, HalfAnswer, TooMany,
        };
        let always = [CutBefore, CutAfter, HalfAnswer, Delay, FailBefore, FailAfter, TooMany];
        let for_writes = [CutBefore, CutAfter, Delay, FailBefore, FailAfter, TooMany, Conflict];
        Some(if writes { random.pick(&for_writes) } else { random.pick(&always) })
    }
}
