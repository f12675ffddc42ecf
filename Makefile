# The two commands of the README, and shorthands. CMake does the work: see CMakePresets.json.
PRESET ?= release

all: build

# Builds a release; the packages must be there.
build:
	cmake --preset $(PRESET)
	cmake --build --preset $(PRESET)

# Installs what is needed, builds, and asks the nano planner about a picture in the tree.
demo:
	tools/packages.sh build
	$(MAKE) --no-print-directory build
	tools/demo.sh

# Installs what tests need, builds a release and a sanitizer build, and passes all tests in both.
check:
	tools/packages.sh build test mpi
	tools/check.sh

clean:
	rm -rf build demo-out

.PHONY: all build demo check clean
