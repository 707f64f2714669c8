// This file lets pin.go declare functions without a body.
