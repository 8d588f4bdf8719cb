module kiln.dev/programs

go 1.26

require (
	github.com/klauspost/compress v1.20.3
	golang.org/x/sys v0.45.0
)
