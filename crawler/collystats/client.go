package collystats

import (
	"net/http"
	"reflect"
)

// clientOf returns the client of a collector: collector.backend.Client. Colly can
// replace the transport of a client, but not tell it, and to replace it unseen
// would drop the proxy of the user. Where a later version keeps it elsewhere,
// clientOf returns nil.
func clientOf(collector any) *http.Client {
	backend := reflect.ValueOf(collector).Elem().FieldByName("backend")
	if backend.Kind() != reflect.Pointer || backend.Type().Elem().Kind() != reflect.Struct {
		return nil
	}
	client := backend.Elem().FieldByName("Client")
	if !client.IsValid() || client.Type() != reflect.TypeFor[*http.Client]() {
		return nil
	}
	return *(**http.Client)(client.Addr().UnsafePointer())
}
