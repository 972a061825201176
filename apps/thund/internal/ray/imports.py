import glob
import json
import os
import shutil
import sys

import pyarrow as pa
import pyarrow.csv as csv
import ray

import alloy

