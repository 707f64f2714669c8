package hostile

// Secret stands in all of Secrets. Whole, it may not reach any sink.
const Secret = "Zk7Qp2Vw9XsecretY4"

// Secrets returns URLs, and error texts with URLs in them, that hold Secret where
// secrets are: before an @, and as the value of a parameter with a telling name.
func Secrets() []Text {
	return []Text{
		{"password", "http://user:" + Secret + "@shop.example/"},
		{"user", "https://" + Secret + "@shop.example/path"},
		{"token", "https://shop.example/?page=1&token=" + Secret},
		{"access token in the fragment", "https://shop.example/#access_token=" + Secret + "&x=1"},
		{"api key", "https://shop.example/a?api_key=" + Secret + "#frag"},
		{"key, encoded name", "https://shop.example/?api%5Fkey=" + Secret},
		{"session in the path", "https://shop.example/a;jsessionid=" + Secret + "/b"},
		{"signature", "https://cdn.example/x?X-Amz-Signature=" + Secret},
		{"behind a redirect", "https://shop.example/login?next=https%3A%2F%2Fa%3A" + Secret + "%40b.example%2F"},
		{"password in an error", `Get "http://user:` + Secret + `@shop.example/": dial tcp: connection refused`},
		{"token in an error", `Get "https://shop.example/?token=` + Secret + `": context deadline exceeded`},
		{"bare URL in an error", "cannot fetch https://shop.example/x?password=" + Secret + " now"},
		{"without a scheme", "//user:" + Secret + "@shop.example/"},
		{"in upper case", "HTTPS://USER:" + Secret + "@SHOP.EXAMPLE/?TOKEN=" + Secret},
		{"with a slash in the password", "http://user:a/" + Secret + "@shop.example/"},
	}
}
