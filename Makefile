# The few targets that people try first. Each is one command of README.md; `npx kiln --help` lists the others.
.PHONY: up down test simulate clean

up:
	npm run up

down:
	npm run down

test:
	npm test

simulate:
	npx kiln cache simulate --source . --modules 'examples/modules/{provider}/{module}' --shards 3 --out .kiln/simulated

clean:
	npm run clean
