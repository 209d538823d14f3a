"""Why a forecast comes out as it does. Works on draws that there are; samples nothing."""
