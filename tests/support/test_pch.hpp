#pragma once
// The precompiled header of all tests.

#include "../../src/base/pch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
