package postgres

import "time"

const leaseLength = 30 * time.Second
