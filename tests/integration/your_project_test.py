"""The project of docs/guides/your-own-domain.md: configured as its author does it, with Everfold as a subdirectory.

What it builds is the wallet, which is built anyway; so that Everfold is not compiled a second time, this stops at the
build's plan: every target, library and header path that it names is there.
"""

import shutil
import subprocess
import unittest

import wallet_app

WALLET = wallet_app.ROOT / "sample-apps/wallet"


class YourProject(unittest.TestCase):
    def test_is_configured_with_everfold_as_a_subdirectory(self):
        project = wallet_app.WORK / "your-project"
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(WALLET / "proto", project / "proto", ignore=shutil.ignore_patterns("*_api.proto"))
        (project / "tests").mkdir()
        for file in ["wallet.h", "main.cc", "tests/wallet_test.cc"]:
            shutil.copy(WALLET / file, project / file)
        shutil.copy(wallet_app.ROOT / "docs/guides/your-project/CMakeLists.txt", project)
        (project / "everfold").symlink_to(wallet_app.ROOT)
        self.run_in(project, "cmake", "-S", ".", "-B", "build", "-G", "Ninja")
        plan = self.run_in(project, "ninja", "-C", "build", "-n", "wallet", "wallet_test", "update_api")
        for step in ["Linking CXX executable wallet\n", "Linking CXX executable wallet_test", "wallet_api.proto"]:
            self.assertIn(step, plan)

    def run_in(self, project, *command):
        done = subprocess.run(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout


if __name__ == "__main__":
    wallet_app.main()
