//! The thread of every scenario on the page, kept for the eyes with its style in it.

use crate::every_root::every_root;
use crate::site::{Browser, Site};
use rotation_diag::chat::PlatformKind as _;
use rotation_diag::platforms::console::Kind;
use std::path::Path;

#[tokio::test]
async fn every_root_is_kept_as_the_page_shows_it() {
    let mut site = Site::open().await;
    let mut browser = Browser::default();
    let style = site.get(&mut browser, "/assets/console.css").await.text().await.unwrap();
    let Some(folder) = std::env::var_os("LOOKS") else { return };
    let folder = Path::new(&folder).join("page");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, message) in every_root(Kind.limits().screen).await {
        site = Site::open().await;
        browser = Browser::default();
        site.shelf.put(&[("0123.root.0", message)]);
        let page = site.page(&mut browser, "/threads/0123.root.0").await;
        let page = page.replacen("</head>", &format!("<style>{style}</style></head>"), 1);
        assert!(page.contains("id=\"m-0123.root.0\"") && page.contains("<style>"), "{name}");
        std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
}
