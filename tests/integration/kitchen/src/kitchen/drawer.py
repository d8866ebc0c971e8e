KNIFE = "knife"
