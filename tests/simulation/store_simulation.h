// An event store on the embedded log, on a disk that fails, loses power and fills up, in steps that a seed decides.
//
// Whatever happens, what was acknowledged is there, whole, once, in its place; what was refused is not; what has an
// unknown outcome is there or not, and stays so.
#pragma once

#include "everfold/testing/faulty_disk.h"
#include "tests/simulation/store_on_disk.h"

namespace everfold {

class StoreSimulation {
 public:
  explicit StoreSimulation(std::uint64_t seed);
  void Run();

 private:
  void Act();
  AppendRequest RandomConditionalAppend();
  void SendAgain();
  void PlanFault();
  void LosePower();
  void Reopen();
  void Check();

  FaultyDisk disk_;
  StoreOnDisk store_;
  RandomSource& random_;
};

}  // namespace everfold
