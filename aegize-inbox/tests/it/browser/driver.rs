//! Chromium, driven by its driver.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::elements::Element;
use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a page may take to show what it should, and after what time it is looked at again.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How often a browser is started that does not come up.
const STARTS: usize = 3;

/// A browser of its own: driver, profile and one window.
pub(crate) struct Browser {
    pub(crate) client: Client,
    _driver: Driver,
    _profile: TempDir,
}

/// A command of the developer tools' protocol.
#[derive(Debug)]
struct Cdp(&'static str, Value);

impl WebDriverCompatibleCommand for Cdp {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        let body = json!({"cmd": self.0, "params": self.1});
        (http::Method::POST, Some(body.to_string()))
    }
}

impl Browser {
    pub(crate) async fn new() -> Self {
        Self::start(json!({})).await
    }

    pub(crate) async fn without_javascript() -> Self {
        Self::start(json!({"profile.managed_default_content_settings.javascript": 2})).await
    }

    /// Starts a browser, again if that fails: the port that a driver chose may be taken meanwhile.
    async fn start(preferences: Value) -> Self {
        let mut failed = Vec::new();
        while failed.len() < STARTS {
            match Self::try_start(&preferences).await {
                Ok(browser) => return browser,
                Err(problem) => failed.push(problem),
            }
        }
        panic!("Chromium does not start: {failed:?}");
    }

    async fn try_start(preferences: &Value) -> Result<Self, String> {
        let profile = TempDir::new().unwrap();
        let mut driver = Driver::start()?;
        let port = driver.port()?;
        let options = json!({
            "binary": "/usr/bin/chromium",
            "prefs": preferences,
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1200,900",
                format!("--user-data-dir={}", profile.path().display()),
            ],
        });
        let mut capabilities = Capabilities::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        // An alert stays until somebody looks for it.
        capabilities.insert("unhandledPromptBehavior".to_owned(), json!("ignore"));
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .map_err(|error| error.to_string())?;
        Ok(Self {
            client,
            _driver: driver,
            _profile: profile,
        })
    }

    pub(crate) async fn close(self) {
        self.client.clone().close().await.unwrap();
    }

    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Waits for what a selector selects.
    pub(crate) async fn see(&self, css: &str) -> Element {
        self.wait_for(Locator::Css(css)).await
    }

    /// Waits for a text.
    pub(crate) async fn read(&self, text: &str) {
        let path = format!("//*[contains(normalize-space(.), {text:?})]");
        self.wait_for(Locator::XPath(&path)).await;
    }

    /// Waits for an element. A page that is just being left refuses to look for some.
    async fn wait_for(&self, locator: Locator<'_>) -> Element {
        let begun = Instant::now();
        loop {
            match self.client.find(locator).await {
                Ok(found) => return found,
                Err(_) if begun.elapsed() < PATIENCE => tokio::time::sleep(LOOK_AGAIN).await,
                Err(error) => {
                    let page = self.client.source().await;
                    panic!("{locator:?}: {error}\n{}", page.unwrap_or_default());
                }
            }
        }
    }

    pub(crate) async fn press(&self, css: &str) {
        // What is seen may be swapped for what is newer, or move from under the finger.
        while let Err(error) = self.see(css).await.click().await {
            let missed = [
                ErrorStatus::StaleElementReference,
                ErrorStatus::ElementClickIntercepted,
            ];
            match &error {
                CmdError::Standard(told) if missed.contains(&told.error) => {}
                _ => panic!("{css}: {error}"),
            }
        }
    }

    pub(crate) async fn write(&self, css: &str, text: &str) {
        self.see(css).await.send_keys(text).await.unwrap();
    }

    pub(crate) async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.unwrap().len()
    }

    pub(crate) async fn sign_in(&self, url: &str, token: &str) {
        self.open(url).await;
        self.write("#token", token).await;
        self.press("main button").await;
        self.see(".person .who").await;
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        let element = self.client.find(Locator::Css(css)).await.unwrap();
        element.prop("textContent").await.unwrap().unwrap()
    }

    /// Presses keys where the focus is.
    pub(crate) async fn keys(&self, keys: &str) {
        loop {
            let element = self.client.active_element().await.unwrap();
            match element.send_keys(keys).await {
                Ok(()) => return,
                // The focus went to what is newer, before a key was sent.
                Err(error) => assert!(error.is_stale_element_reference(), "{keys}: {error}"),
            }
        }
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    pub(crate) async fn address(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    /// Leaves a mark that goes away when the page is loaded again.
    pub(crate) async fn mark(&self) {
        self.run("window.mark = true").await;
    }

    pub(crate) async fn is_marked(&self) -> bool {
        self.run("return window.mark === true").await == true
    }

    /// Waits until another page is there than the one that was marked.
    pub(crate) async fn left(&self) {
        let (begun, script) = (Instant::now(), "return window.mark === true");
        // While one page is left for the other, there is none to ask.
        while !matches!(
            self.client.execute(script, Vec::new()).await,
            Ok(Value::Bool(false))
        ) {
            assert!(begun.elapsed() < PATIENCE, "the page stays");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Whether a dialog of a script is open.
    pub(crate) async fn has_alert(&self) -> bool {
        match self.client.get_alert_text().await {
            Ok(_) => true,
            Err(error) => {
                assert!(error.is_no_such_alert(), "{error}");
                false
            }
        }
    }

    pub(crate) async fn tell(&self, command: &'static str, parameters: Value) -> Value {
        self.client
            .issue_cmd(Cdp(command, parameters))
            .await
            .unwrap()
    }

    /// A colour scheme and a width, as of a phone if it is narrow.
    pub(crate) async fn look(&self, scheme: &str, width: u32) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.tell("Emulation.setEmulatedMedia", json!({"features": features}))
            .await;
        let size = json!({
            "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.tell("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// The whole page as a picture.
    pub(crate) async fn picture(&self, path: &Path) {
        self.picture_of(path, json!({"captureBeyondViewport": true}))
            .await;
    }

    /// A part of the page as a picture.
    pub(crate) async fn picture_of(&self, path: &Path, part: Value) {
        let taken = self.tell("Page.captureScreenshot", part).await;
        let taken = taken["data"].as_str().unwrap();
        let bytes = STANDARD.decode(taken).unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// What drives a browser. Its output stays open, since it may say more.
struct Driver {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Driver {
    fn start() -> Result<Self, String> {
        let mut process = Command::new("/usr/bin/chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("/usr/bin/chromedriver: {error}"))?;
        let output = process.stdout.take().expect("is piped");
        let output = BufReader::new(output).lines();
        Ok(Self { process, output })
    }

    /// The port that it listens on, which is the last that it says at its start.
    fn port(&mut self) -> Result<String, String> {
        let mut said = String::new();
        for line in self.output.by_ref().map_while(Result::ok) {
            if let Some((_, port)) = line.split_once("successfully on port ") {
                return Ok(port.trim_end_matches('.').to_owned());
            }
            said.extend([&line, "; "]);
        }
        Err(said)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
