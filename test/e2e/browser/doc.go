// Package browser shows the page of export/dashboard to a real Chromium, and
// makes the pictures of it in docs/img.
//
//	apt-get install -y --no-install-recommends chromium fonts-dejavu-core
//	test/e2e/install.sh
//	CRAWLSTATS_PICTURES=1 go test -run TestPictures ./browser
//
// Where the browser is missing its tests are skipped, but with CI=true they fail.
package browser
