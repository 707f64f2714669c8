// Package redis tests redisstore against a real Redis server, which each test
// starts for itself.
package redis
